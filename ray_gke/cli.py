"""The entry: help and completion at once, everything else through `commands`.

The only place that prints errors and decides exit codes:
0 done, 1 failed while doing, 2 usage, 3 invalid file, 4 refused before doing,
130 interrupted.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ray_gke import quick_answers

if TYPE_CHECKING:
    from ray_gke.errors import RayGkeError

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    # Whoever runs us in a pipeline stops us with SIGTERM; it is Ctrl-C to us.
    signal.signal(signal.SIGTERM, _interrupt)
    _make_writable()
    try:
        # Looking for garbage would take a fifth of the time of a large plan.
        gc.set_threshold(100_000)
        code = _run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has left, as in `ray-gke … | head`; nobody is to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        code = _os_error(error)
    sys.exit(code)


def _make_writable() -> None:
    """See to it that any text can be written, also to nobody and in old encodings."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _interrupt(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def _run(arguments: list[str]) -> int:
    answer = quick_answers.answer(arguments)
    if answer is not None:
        sys.stdout.write(answer)
        return 0
    from ray_gke.errors import RayGkeError

    try:
        return _command(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except RayGkeError as error:
        _tell(error, arguments)
        return error.exit_code


def _command(arguments: list[str]) -> int:
    from typer.exceptions import Abort, Exit, TyperException

    from ray_gke.commands import app
    from ray_gke.errors import UsageError

    try:
        result = app(args=arguments, prog_name="ray-gke", standalone_mode=False)
    except Exit as end:
        return end.exit_code
    except Abort:
        raise KeyboardInterrupt from None
    except TyperException as error:
        raise UsageError(
            error.format_message().replace("Value error, ", ""),
            hint=f"see {' '.join(['ray-gke', *_commands(arguments)])} --help",
        ) from None
    if result == INTERRUPTED:
        # Typer makes an exit status of Ctrl-C, and says nothing.
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0


def _commands(arguments: list[str]) -> list[str]:
    _, rest = quick_answers.descend(arguments)
    return arguments[: len(arguments) - len(rest)]


def _tell(error: RayGkeError, arguments: list[str]) -> None:
    from ray_gke.reporting import json_lines, problems

    text = problems.as_text(error)
    if _asks_for_json(arguments):
        sys.stdout.write(json_lines.error_line(error) + "\n")
    sys.stderr.write(text + "\n")


def _asks_for_json(arguments: list[str]) -> bool:
    """Tell whether `--output json` was asked, also of a line that cannot be parsed."""
    line = " ".join(arguments)
    return bool(re.search(r"(^| )(-o|--output)[ =]?json( |$)", line))


def _os_error(error: OSError) -> int:
    if error.filename is not None:
        sys.stderr.write(f"error: {error.filename}: {error.strerror}\n")
        return 1
    # stdout is full or gone; what is left in its buffer cannot be written either.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stderr.write(f"error: the output could not be written: {error.strerror}\n")
    return 1
