"""What a command line means: which blueprints, with which parameters, on what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray_gke.catalog import platform as platform_file
from ray_gke.catalog.catalogs import Catalogs
from ray_gke.catalog.load import Loaded, load
from ray_gke.catalog.nearest import nearest
from ray_gke.catalog.platform import Platform
from ray_gke.errors import UsageError
from ray_gke.planning.build import build
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render
from ray_gke.versions import KUBERAY_VERSION

PLATFORM_FILE = "ray-gke.yaml"


@dataclass(frozen=True)
class Choice:
    """A platform, or none, and what goes with it."""

    platform: Platform | None
    catalogs: Catalogs
    kuberay_version: str


@dataclass(frozen=True)
class Selected:
    """A blueprint with its parameters, and the plan that follows from it."""

    loaded: Loaded
    plan: Plan


def choose(file: Path | None, kuberay_version: str | None = None) -> Choice:
    """Read the platform file: `file`, or `ray-gke.yaml` when this folder has one."""
    here = Path(PLATFORM_FILE)
    path = file or (here if here.is_file() else None)
    if path is None:
        return Choice(None, Catalogs.of(None), kuberay_version or KUBERAY_VERSION)
    platform = platform_file.load(path)
    version = kuberay_version or platform.spec.kuberay.version or KUBERAY_VERSION
    return Choice(platform, Catalogs.of(platform), version)


def select(
    choice: Choice,
    blueprint: str | None,
    assignments: Sequence[str] = (),
    name: str | None = None,
) -> list[Selected]:
    """Return what `blueprint` means, or everything on the platform without it.

    Raises UsageError when there is neither, and what `load` and `build` raise.
    """
    if blueprint:
        given = parse_assignments(assignments)
        return [_selected(choice, blueprint, given, name)]
    if assignments or name:
        raise UsageError(
            "--set and --name need a BLUEPRINT",
            hint="on a platform, parameters stand in its file",
        )
    if choice.platform is None:
        names = ", ".join(entry.name for entry in choice.catalogs.entries())
        raise UsageError(
            f"no BLUEPRINT given, and no {PLATFORM_FILE} here",
            hint=f"choose one of: {names}",
        )
    return [
        _selected(choice, entry.blueprint, entry.set, entry.name)
        for entry in choice.platform.spec.blueprints
    ]


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """Split `NAME=VALUE` texts; the last one of a name wins, as in Helm."""
    given = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(
                f"--set {text!r} is not NAME=VALUE", hint="for example --set count=3"
            )
        given[name.strip()] = value
    return given


def _selected(
    choice: Choice, blueprint: str, given: Mapping[str, Any], name: str | None
) -> Selected:
    loaded = load(choice.catalogs.find(blueprint), given)
    return Selected(loaded, build(loaded, name=name))


def rendered(
    selected: Sequence[Selected], choice: Choice, namespace: str | None = None
) -> list[Mapping[str, Any]]:
    """Return the checked manifests of all plans, in apply order."""
    return [
        manifest
        for one in selected
        for manifest in render(
            one.plan, kuberay_version=choice.kuberay_version, namespace=namespace
        )
    ]


def runs_to_end(
    name: str | None, names: Sequence[str], *, everything: bool
) -> Sequence[str]:
    """Return which of the runs `names` a `down` means.

    Raises UsageError when it is not clear, or when `name` is none of them.
    """
    if everything:
        return names
    if name is None:
        if len(names) == 1:
            return names
        up = f"up now: {', '.join(names)}; or --all" if names else None
        raise UsageError("which NAME?" if names else "nothing is up", hint=up)
    if name not in names:
        raise UsageError(f"{name!r} is not up", hint=nearest(name, names))
    return [name]
