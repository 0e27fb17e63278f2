"""What no single field of a blueprint shows, checked on data that may be wrong."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ray_gke.catalog.nearest import nearest
from ray_gke.catalog.validation import Where
from ray_gke.catalog.workloads import kinds
from ray_gke.errors import Problem

LONGEST_NAME = {"cluster": 53, "job": 47, "service": 47}
"""Source: KubeRay controllers/ray/utils/validation.go."""

_PYTHON = re.compile(r"python3?(?:\s+-u)?\s+((?:[\w.-]+/)*[\w.-]+\.py)(?:\s|$)")


def names(data: Mapping[str, Any], folder: Path, where: Where) -> Iterator[Problem]:
    """Yield what is wrong with the blueprint's name beside its form."""
    name = text(data, "metadata", "name")
    if name is None:
        return
    path = ("metadata", "name")
    # A folder may be given as a link, or as `.`.
    resolved = folder.resolve().name
    if name not in (folder.name, resolved):
        message = f"the name {name[:80]!r} is not that of the folder, {resolved}"
        yield Problem(message, where(path), "call one like the other")
    given = kinds(data.get("spec"))
    most = min((LONGEST_NAME[kind] for kind in given), default=len(name))
    if most < len(name):
        message = f"{name[:80]!r} has {len(name)} characters, and {most} are allowed"
        yield Problem(
            message, where(path), f"KubeRay wants a shorter name of a {given[-1]}"
        )


def entrypoint(
    data: Mapping[str, Any], files: Mapping[str, bytes], where: Where
) -> Iterator[Problem]:
    """Yield a problem when the job's command runs a Python file that is not there."""
    command = text(data, "spec", "job", "entrypoint")
    working_dir = text(data, "spec", "job", "runtime_env", "working_dir")
    if command is None or working_dir is not None:
        return
    found = _PYTHON.match(command.strip())
    if found:
        yield from missing(found[1], files, where, ("spec", "job", "entrypoint"))


def missing(
    path: str, files: Mapping[str, bytes], where: Where, at: tuple[str | int, ...]
) -> Iterator[Problem]:
    """Yield a problem when `path`, written at `at`, is none of the files."""
    normal = posixpath.normpath(path)
    if posixpath.isabs(path) or normal.startswith(".."):
        message = f"{path[:80]!r} is outside of the blueprint's folder"
        yield Problem(message, where(at), "copy the file into the folder")
    elif normal not in files:
        near = nearest(normal, files)
        hint = f"did you mean {near!r}?" if near else "put it beside blueprint.yaml"
        yield Problem(f"there is no file {path[:80]!r}", where(at), hint)


def text(data: Any, *path: str) -> str | None:
    """Return the text at `path`, or None when something else or nothing is there."""
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return data if isinstance(data, str) else None
