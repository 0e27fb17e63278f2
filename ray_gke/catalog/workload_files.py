"""The files of a blueprint's folder that travel with its workload."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ray_gke.catalog.source import BLUEPRINT_FILE
from ray_gke.errors import Place, Problem

MAX_TOTAL = 900 * 1024
"""On Kubernetes the files travel in a ConfigMap, which etcd limits to 1 MiB."""

_MAX_FILES = 1000
_NOT_OURS = (BLUEPRINT_FILE, "README.md")


@dataclass(frozen=True)
class _File:
    path: str
    source: Path
    size: int


def read(folder: Path, display: str) -> tuple[Mapping[str, bytes], list[Problem]]:
    """Return the workload's files by their path in the folder, and what is wrong.

    Left out are the blueprint itself, its README, tests (`test_*.py`), hidden files
    and `__pycache__`.
    """
    found: list[_File] = []
    problems: list[Problem] = []

    def unreadable(error: OSError) -> None:
        path = Path(error.filename).relative_to(folder).as_posix()
        problems.append(_unreadable(f"{display}/{path}", error.strerror))

    for entry in _walk(folder, unreadable):
        path = entry.relative_to(folder).as_posix()
        checked = _checked(entry, path, folder, display)
        if isinstance(checked, Problem):
            problems.append(checked)
        else:
            found.append(checked)
        if len(found) > _MAX_FILES:
            message = f"the folder holds more than {_MAX_FILES} files"
            hint = "keep data outside of the blueprint"
            return {}, [Problem(message, Place(display), hint)]
    problems += _too_large(found, display)
    if problems:
        return {}, problems
    return _contents(found, display)


def _walk(folder: Path, unreadable: Callable[[OSError], None]) -> Iterator[Path]:
    for root, folders, files in os.walk(folder, onerror=unreadable):
        here = Path(root)
        links = [n for n in folders if os.path.islink(here / n)]  # noqa: PTH114
        folders[:] = sorted(
            name for name in folders if _travels(name) and name not in links
        )
        for name in sorted([*files, *links]):
            ours = here == folder and name in _NOT_OURS
            if _travels(name) and not ours and not fnmatch(name, "test_*.py"):
                yield here / name


def _travels(name: str) -> bool:
    return not name.startswith(".") and name != "__pycache__"


def _checked(entry: Path, path: str, folder: Path, display: str) -> _File | Problem:
    place = Place(f"{display}/{path}")
    try:
        target = entry.resolve(strict=True)
        status = target.stat()
    except (OSError, RuntimeError) as error:
        # A link in a circle is a RuntimeError until Python 3.12.
        return _unreadable(place.file, getattr(error, "strerror", str(error)))
    if not path.isprintable():
        hint = "rename it to letters, digits, '-', '_' and '.'"
        return Problem(f"the name {path!a} is not text", Place(display), hint)
    if not target.is_relative_to(folder.resolve()):
        message = f"the link leads out of the blueprint's folder, to {target}"
        return Problem(message, place, "copy the file into the folder")
    if not stat.S_ISREG(status.st_mode):
        what = "a link to a folder" if target.is_dir() else "not a regular file"
        return Problem(f"it is {what}", place, "replace it by a file or remove it")
    return _File(path, target, status.st_size)


def _too_large(files: list[_File], display: str) -> Iterator[Problem]:
    total = sum(file.size for file in files)
    if total > MAX_TOTAL:
        largest = max(files, key=lambda file: file.size)
        message = (
            f"the files have {total:,} bytes together, and at most {MAX_TOTAL:,} "
            f"(900 KiB) can travel; the largest is {largest.path} ({largest.size:,})"
        )
        hint = "keep data outside of the blueprint, and pass its path as a parameter"
        yield Problem(message, Place(f"{display}/{largest.path}"), hint)


def _contents(
    files: list[_File], display: str
) -> tuple[Mapping[str, bytes], list[Problem]]:
    contents: dict[str, bytes] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            with file.source.open("rb") as stream:
                contents[file.path] = stream.read(MAX_TOTAL)
        except OSError as error:
            problems.append(_unreadable(f"{display}/{file.path}", error.strerror))
    return contents, problems


def _unreadable(file: str, reason: str | None) -> Problem:
    return Problem(f"cannot be read: {reason}", Place(file), "repair or remove it")
