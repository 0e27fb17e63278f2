"""Everything that can be checked without running anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ray_gke import selection
from ray_gke.catalog.load import load
from ray_gke.errors import InvalidError, UsageError
from ray_gke.planning.build import build
from ray_gke.rendering.render import render
from ray_gke.versions import KUBERAY_VERSION

BLUEPRINT_FILE = "blueprint.yaml"


@dataclass(frozen=True)
class Finding:
    """A file that was checked, and what is wrong with it, if anything."""

    path: Path
    error: InvalidError | None


def validate(paths: Iterable[Path]) -> Iterator[Finding]:
    """Check blueprints, platform files, and folders of them, one after the other.

    Raises UsageError for a path that is none of these.
    """
    for path in paths:
        for file in _files(path):
            yield Finding(file, _fault(file))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UsageError(f"there is no file or folder {str(path)!r}")
    if (path / BLUEPRINT_FILE).is_file():
        return [path / BLUEPRINT_FILE]
    patterns = (
        selection.PLATFORM_FILE,
        f"*/{BLUEPRINT_FILE}",
        f"blueprints/*/{BLUEPRINT_FILE}",
    )
    found = [file for pattern in patterns for file in sorted(path.glob(pattern))]
    if not found:
        raise UsageError(
            f"no blueprint and no platform file in {str(path)!r}",
            hint=f"looked for {', '.join(patterns)}",
        )
    return found


def _render(folder: Path) -> None:
    # Parameters that a user must set stay open here; stand-ins take their places.
    loaded = load(folder, {}, complete=False)
    templates = selection.templates(folder)
    render(build(loaded), kuberay_version=KUBERAY_VERSION, templates=templates)


def _fault(file: Path) -> InvalidError | None:
    try:
        if file.name == BLUEPRINT_FILE:
            _render(file.parent)
        else:
            choice = selection.choose(file)
            selection.rendered(selection.select(choice, None), choice)
    except InvalidError as error:
        return error
    return None
