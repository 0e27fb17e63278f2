"""Everything that can be checked without running anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from ray_gke import planned, selection
from ray_gke.catalog.load import check
from ray_gke.catalog.source import BLUEPRINT_FILE
from ray_gke.errors import FailedError, InvalidError, RayGkeError, UsageError
from ray_gke.planning.build import build
from ray_gke.rendering.render import render
from ray_gke.versions import KUBERAY_VERSION


@dataclass(frozen=True)
class Finding:
    """A file that was checked, and what is wrong with it, if anything."""

    path: Path
    error: RayGkeError | None


def validate(
    paths: Iterable[Path], kuberay_version: str | None = None
) -> Iterator[Finding]:
    """Check blueprints, platform files, and folders of them, one after the other.

    For `kuberay_version`, or that of the platform file in the folder or in this one.
    Raises UsageError for a path that is none of these.
    """
    selection.check_version(kuberay_version)
    for path in paths:
        version = kuberay_version or _version(path)
        for file in _files(path):
            yield Finding(file, _fault(file, version))


def _version(path: Path) -> str:
    for folder in (path, Path()):
        file = folder / selection.PLATFORM_FILE
        # A platform file that is wrong is told as its own finding.
        with suppress(RayGkeError, OSError):
            if file.is_file():
                return selection.choose(file).kuberay_version
    return KUBERAY_VERSION


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


def _fault(file: Path, version: str) -> RayGkeError | None:
    try:
        if file.name == BLUEPRINT_FILE:
            _check_blueprint(file.parent, version)
        else:
            _check_platform(file)
    except (InvalidError, FailedError) as error:
        return error
    return None


def _check_blueprint(folder: Path, version: str) -> None:
    loaded = check(folder)
    if loaded is None:
        return
    parameters = loaded.blueprint.parameters.values()
    # With stand-ins for what a user must set, a fault of the plan is not certain.
    guessed = any(parameter.default is None for parameter in parameters)
    with suppress(InvalidError) if guessed else nullcontext():
        templates = selection.templates(folder)
        render(build(loaded), kuberay_version=version, templates=templates)


def _check_platform(file: Path) -> None:
    choice = selection.choose(file)
    choice.catalogs.entries()
    selected = selection.select(choice, None)
    selection.rendered(selected, choice)
    if choice.site.target == "gke":
        planned.capacity(selected, choice)
