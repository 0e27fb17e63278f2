"""Write what follows from the commands: `ray_gke/help.json`, `docs/commands.md`."""

from __future__ import annotations

import enum
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["COLUMNS"] = "80"

import typer.main

from ray_gke.commands import app

ROOT = Path(__file__).resolve().parents[1]
COMPLETES = {"BLUEPRINT": "blueprint", "NAME": "run"}


def described(command: Any, path: list[str], parent: Any = None) -> dict[str, Any]:
    """Return a command as data: help text, options, arguments, commands."""
    context = command.make_context(path[-1], [], parent, resilient_parsing=True)
    parameters = command.get_params(context)
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    options = [p for p in parameters if p.param_type_name == "option"]
    commands = getattr(command, "commands", {})
    return {
        "help": command.get_help(context) + "\n",
        "summary": command.get_short_help_str(200),
        "options": [option(o) for o in options if not o.hidden],
        "arguments": [argument(a, path) for a in arguments],
        "repeats": any(a.nargs == -1 for a in arguments),
        "commands": {
            name: described(sub, [*path, name], context)
            for name, sub in commands.items()
        },
    }


def option(parameter: Any) -> dict[str, Any]:
    """Return an option as data; `value` says whether a word follows it."""
    names = [*parameter.opts, *parameter.secondary_opts]
    value = not (parameter.is_flag or parameter.count)
    return {
        "names": sorted(names, key=len, reverse=True),
        "value": value,
        "choices": choices(parameter),
        "help": parameter.help or "",
    }


def argument(parameter: Any, path: list[str]) -> dict[str, Any]:
    """Return an argument as data; `completes` says where its values come from."""
    name = parameter.metavar or parameter.name
    completes = COMPLETES.get(name)
    if path[1:2] == ["blueprints"]:
        completes = {"new": None}.get(path[2], "blueprint")
    return {
        "name": name,
        "completes": completes,
        "choices": choices(parameter),
    }


def choices(parameter: Any) -> list[str]:
    """Return the values of an enum, none for other types."""
    kind = parameter.type_descriptor.annotation
    return [c.value for c in kind] if issubclass(kind, enum.Enum) else []


def reference(tree: dict[str, Any], path: list[str]) -> list[str]:
    """Return the commands' help as Markdown, one section each."""
    lines = [f"## `{' '.join(path)}`", "", "```text", tree["help"].rstrip(), "```", ""]
    for name, sub in tree["commands"].items():
        lines += reference(sub, [*path, name])
    return lines


def generated() -> dict[Path, str]:
    """Return every generated file with its text."""
    tree = described(typer.main.get_command(app), ["ray-gke"])
    title = [
        "# Commands",
        "",
        "Written by `make docs` from the commands themselves.",
        "",
    ]
    return {
        ROOT / "ray_gke/help.json": json.dumps(tree, indent=1) + "\n",
        ROOT / "docs/commands.md": "\n".join(title + reference(tree, ["ray-gke"])),
    }


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
