"""Draw a real run of a command as SVG: `draw_run.py FILE [ARGUMENT …]`."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 76
# Rich's own frame asks for a web font; a picture in a README should fetch nothing.
FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def seen(argv: list[str]) -> str:
    """Run `argv` on a terminal of its own and return what stays on the screen."""
    main, side = pty.openpty()
    with tempfile.TemporaryDirectory() as state:
        env = {
            **os.environ,
            "XDG_STATE_HOME": state,
            "COLUMNS": str(WIDTH),
            "TERM": "xterm-256color",
        }
        env.pop("NO_COLOR", None)
        with subprocess.Popen(argv, env=env, stdout=side, stderr=side) as process:
            os.close(side)
            output = read_all(main)
        if process.returncode:
            sys.exit(f"{' '.join(argv)} failed:\n{output}")
    return settled(output)


def read_all(terminal: int) -> str:
    """Read until everybody who could write has gone."""
    chunks = []
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks).decode().replace("\r\n", "\n")


def settled(output: str) -> str:
    """Return the output without what was erased again: the frames of the spinner."""
    output = re.sub(r"\x1b\[\?25[lh]", "", output)
    output = re.sub(r"[^\n]*\n\r?\x1b\[1A\x1b\[2K", "", output)
    return re.sub(r"[^\n]*\x1b\[2K", "", output).replace("\r", "")


def main() -> None:
    """Run, draw, write."""
    target = Path(sys.argv[1])
    arguments = sys.argv[2:] or ["up", "squares"]
    output = seen([str(Path(sys.executable).with_name("ray-gke")), *arguments])
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    console.print(Text.assemble(("$ ", "bold green"), "ray-gke ", " ".join(arguments)))
    console.print(Text.from_ansi(output.rstrip()))
    svg = console.export_svg(title="ray-gke " + " ".join(arguments), unique_id="run")
    target.write_text(FONT.sub("", svg), encoding="utf-8")


if __name__ == "__main__":
    main()
