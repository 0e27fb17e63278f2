"""A folder as a target: manifests as files, for GitOps or for reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ray_gke.errors import FailedError

_OURS = re.compile(r"\d+-[a-z0-9.-]+\.yaml")
_MARK = "app.kubernetes.io/managed-by: ray-gke"


def write(folder: Path, files: Mapping[str, str], runs: Iterable[str]) -> list[Path]:
    """Write `files`, all or none, and return their paths.

    Files that an earlier render of the same `runs` left, and this one does not have,
    are removed: whoever applies the folder would otherwise apply them for ever. Nothing
    else is touched. Raises FailedError when the folder cannot be written.
    """
    drafts = {folder / name: folder / f".{name}.draft" for name in files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, draft in drafts.items():
            draft.write_text(files[path.name], encoding="utf-8")
        for path, draft in drafts.items():
            draft.replace(path)
        for stale in _earlier(folder, set(runs)) - drafts.keys():
            stale.unlink()
    except OSError as error:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink()
        raise FailedError(
            f"cannot write to {str(folder)!r}: {error.strerror}",
            hint="nothing was written; choose another --output-dir or make room",
        ) from None
    return list(drafts)


def write_file(path: Path, text: str) -> None:
    """Write one file, whole or not at all. Raises FailedError."""
    try:
        replace_text(path, text)
    except OSError as error:
        raise FailedError(
            f"cannot write {str(path)!r}: {error.strerror}",
            hint="choose a file in a folder that is there",
        ) from None


def replace_text(path: Path, text: str) -> None:
    """Write one file, whole or not at all. Raises OSError."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def _earlier(folder: Path, runs: set[str]) -> set[Path]:
    named = (path for path in folder.glob("*.yaml") if _OURS.fullmatch(path.name))
    return {path for path in named if _run_of(path) in runs}


def _run_of(path: Path) -> str | None:
    """Return the run whose object a file holds, if it is one of ours."""
    text = path.read_text(encoding="utf-8", errors="replace")
    run = re.search(r"^ +ray-gke/run: (\S+)$", text, re.MULTILINE)
    return run[1] if run and _MARK in text else None
