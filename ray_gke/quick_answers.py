"""Help and shell completion, without loading the library that the commands use.

A shell asks for completions at every press of Tab, so this module imports nothing
heavy: it reads `help.json`, which `make docs` writes from the commands themselves.
The protocol is that of the scripts which `--install-completion` installs (typer).
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ray_gke import assets

HELP_FILE = Path(__file__).with_name("help.json")
HELP = ("--help", "-h")
HELP_WIDTH = 80
_SHELL_VARIABLE = "_RAY_GKE_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


def answer(arguments: Sequence[str]) -> str | None:
    """Return what to print, or None when it takes the commands to know."""
    shell = os.environ.get(_SHELL_VARIABLE, "").removeprefix("complete_")
    if shell in _SHELLS:
        return _completion(shell)
    if _SHELL_VARIABLE in os.environ or not _asks_for_help(arguments):
        return None
    command, rest = descend([word for word in arguments if word not in HELP])
    return None if rest else str(command["help"])


def _asks_for_help(arguments: Sequence[str]) -> bool:
    # `ray-gke` alone, and `ray-gke blueprints`, ask what there is.
    command, rest = descend(arguments)
    if not (command["commands"] and not rest) and arguments[-1] not in HELP:
        return False
    # The text is 80 columns wide; for a narrower terminal typer wraps it anew.
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns >= HELP_WIDTH
    except (OSError, AttributeError, ValueError):
        return "COLUMNS" not in os.environ


def descend(words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the command that `words` name, and the words after its name."""
    command = json.loads(HELP_FILE.read_text(encoding="utf-8"))
    rest = list(words)
    while rest and rest[0] in command["commands"]:
        command = command["commands"][rest.pop(0)]
    return command, rest


def _completion(shell: str) -> str:
    words, incomplete = _typed(shell)
    found = [(v, h) for v, h in candidates(words) if v.startswith(incomplete)]
    if not incomplete.startswith("-"):
        found = [(v, h) for v, h in found if not v.startswith("-")] or found
    if shell == "fish" and os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        sys.exit(0 if found else 1)
    return _formatted(shell, found)


def _typed(shell: str) -> tuple[list[str], str]:
    """Return the finished words after `ray-gke`, and the one that is being typed."""
    if shell == "bash":
        words = os.environ.get("COMP_WORDS", "").split()
        position = int(os.environ.get("COMP_CWORD", "1"))
        return words[1:position], "".join(words[position : position + 1])
    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = line.split()[1:]
    if words and not line.endswith(" "):
        return words[:-1], words[-1]
    return words, ""


def candidates(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return what may follow `words`, each with its help."""
    command, rest = descend(words)
    previous = rest[-1] if rest else ""
    for option in command["options"]:
        if previous in option["names"] and option["value"]:
            return _values(option, rest)
    found = [(name, sub["summary"]) for name, sub in command["commands"].items()]
    positional = [word for word in rest if not word.startswith("-")]
    if len(positional) < len(command["arguments"]) or command["repeats"]:
        found += [(v, "") for v in _named(command["arguments"])]
    options = [(n, o["help"]) for o in command["options"] for n in o["names"]]
    return found + options


def _values(option: dict[str, Any], rest: Sequence[str]) -> list[tuple[str, str]]:
    if option["names"] != ["--set"]:
        return [(choice, "") for choice in option["choices"]]
    known = set(_blueprints())
    chosen = [word for word in rest if word in known or "/" in word]
    return [(f"{name}=", "") for name in _parameters(chosen[0])] if chosen else []


def _named(arguments: Sequence[dict[str, Any]]) -> Iterable[str]:
    for argument in arguments[:1]:
        if argument["choices"]:
            return list(argument["choices"])
        if argument["completes"] == "blueprint":
            return _blueprints()
        if argument["completes"] == "run":
            return _runs()
    return []


def _blueprints() -> list[str]:
    found = (p for folder in _catalogs() for p in folder.glob("*/blueprint.yaml"))
    return sorted({path.parent.name for path in found})


def _catalogs() -> list[Path]:
    """Return our catalog, and the folders that a platform file here names.

    They are guessed, as the YAML library takes too long to load; a catalog in git may
    take a network, so it is left out.
    """
    named = re.findall(
        r"^\s*-\s*\{?\s*path:\s*['\"]?([^'\",}\s]+)",
        _text(Path("ray-gke.yaml")),
        re.MULTILINE,
    )
    return [assets.folder("blueprints"), *map(Path, named)]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _parameters(blueprint: str) -> list[str]:
    """Return the names under `parameters:`, guessed by their indentation."""
    folders = [folder / blueprint for folder in reversed(_catalogs())]
    texts = (_text(folder / "blueprint.yaml") for folder in [*folders, Path(blueprint)])
    text = next(filter(None, texts), "")
    block = re.search(r"^parameters:\s*\n((?:[ #].*\n|\n)+)", text, re.MULTILINE)
    return re.findall(r"^ {2}(\w+):", block[1], re.MULTILINE) if block else []


def _runs() -> list[str]:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(state) / "ray-gke" / "local"
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _formatted(shell: str, found: Sequence[tuple[str, str]]) -> str:
    if shell == "bash":
        return "\n".join(value for value, _ in found)
    if shell == "fish":
        return "\n".join(f"{value}\t{help_}".rstrip() for value, help_ in found)
    if not found:
        return "_files"
    quoted = [f'"{_zsh(v)}":"{_zsh(h)}"' if h else f'"{_zsh(v)}"' for v, h in found]
    return "_arguments '*: :((" + "\n".join(quoted) + "))'"


def _zsh(text: str) -> str:
    for character, escaped in (('"', '""'), ("'", "''"), (":", r"\\:")):
        text = text.replace(character, escaped)
    return text.replace("$", "\\$").replace("`", "\\`")
