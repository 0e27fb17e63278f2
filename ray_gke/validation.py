"""Everything that can be checked without running anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ray_gke import planned, selection
from ray_gke.catalog.load import check
from ray_gke.catalog.platform import Platform
from ray_gke.catalog.source import BLUEPRINT_FILE
from ray_gke.errors import (
    FailedError,
    InvalidError,
    Place,
    Problem,
    RayGkeError,
    UsageError,
)
from ray_gke.planning.build import build
from ray_gke.rendering.render import weaknesses
from ray_gke.versions import KUBERAY_VERSION


@dataclass(frozen=True)
class Finding:
    """A file that was checked, and what is wrong with it, if anything.

    `warnings` are what it weakens of logs, metrics, eviction and security.
    """

    path: Path
    error: RayGkeError | None
    warnings: tuple[Problem, ...] = ()


def validate(
    paths: Iterable[Path], kuberay_version: str | None = None
) -> Iterator[Finding]:
    """Check blueprints, platform files, and folders of them, one after the other.

    For `kuberay_version`, or that of the nearest platform file: beside the path, in a
    folder above it, or in this one.
    Raises UsageError for a path that is none of these.
    """
    selection.check_version(kuberay_version)
    for path in paths:
        version = kuberay_version or _version(path)
        for file in _files(path):
            yield _finding(file, version)


def _version(path: Path) -> str:
    for folder in (path, *path.parents, Path()):
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


def _finding(file: Path, version: str) -> Finding:
    try:
        if file.name == BLUEPRINT_FILE:
            warnings = _check_blueprint(file.parent, version)
        else:
            warnings = _check_platform(file)
    except InvalidError as error:
        told = [_as_given(problem, file.parent) for problem in error.problems]
        return Finding(file, InvalidError.of(told))
    except FailedError as error:
        return Finding(file, error)
    return Finding(file, None, warnings)


def _check_blueprint(folder: Path, version: str) -> tuple[Problem, ...]:
    loaded = check(folder)
    if loaded is None:
        return ()
    parameters = loaded.blueprint.parameters.values()
    # With stand-ins for what a user must set, a fault of the plan is not certain.
    guessed = any(parameter.default is None for parameter in parameters)
    with suppress(InvalidError) if guessed else nullcontext():
        templates = selection.templates(folder)
        return weaknesses(build(loaded), kuberay_version=version, templates=templates)
    return ()


def _check_platform(file: Path) -> tuple[Problem, ...]:
    choice = selection.choose(file)
    choice.catalogs.entries()
    selected = selection.select(choice, None)
    found: dict[tuple[Place | None, str], Problem] = {}
    for one in selected:
        for warning in _weaknesses(one, choice):
            # Several runs of one blueprint differ in nothing but their names.
            key = (warning.place, warning.message.replace(one.plan.name, ""))
            found.setdefault(key, warning)
    if choice.site.target == "gke":
        planned.capacity(selected, choice)
    return tuple(_as_given(warning, file.parent) for warning in found.values())


def _as_given(found: Problem, folder: Path) -> Problem:
    """Return it with the file as the command line names it, like that of a blueprint.

    A platform's blueprints have absolute paths.
    """
    place = found.place
    if place is None or not Path(place.file).is_relative_to(folder.absolute()):
        return found
    file = folder / Path(place.file).relative_to(folder.absolute())
    return replace(found, place=replace(place, file=str(file)))


def _weaknesses(
    one: selection.Selected, choice: selection.Choice
) -> tuple[Problem, ...]:
    said = _places(choice.platform) if choice.platform else {}
    return weaknesses(
        replace(one.plan, places={**said, **one.plan.places}),
        kuberay_version=choice.kuberay_version,
        namespace=one.namespace,
        templates=selection.templates(one.loaded.folder),
    )


def _places(platform: Platform) -> dict[tuple[str | int, ...], Place]:
    """Return where the platform says what a blueprint may say itself."""
    paths = (("spec", "logs", "mode"), ("spec", "metrics", "mode"))
    return {path: platform.document.place(path) for path in paths}
