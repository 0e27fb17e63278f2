"""What a command line means: which blueprints, with which parameters, on what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ray_gke.catalog import platform as platform_file
from ray_gke.catalog import prices as price_file
from ray_gke.catalog.catalogs import Catalogs
from ray_gke.catalog.image_registry import beside_cluster
from ray_gke.catalog.load import Loaded, load
from ray_gke.catalog.platform import Platform, PlatformSpec
from ray_gke.errors import InvalidError, Problem, UsageError
from ray_gke.gke.allocatable import SYSTEM_PODS_PER_NODE
from ray_gke.planning.build import build
from ray_gke.planning.plan import Plan
from ray_gke.planning.site import REGION, Site
from ray_gke.rendering import requests
from ray_gke.rendering.render import render
from ray_gke.versions import KUBERAY_VERSION, KUBERAY_VERSIONS

PLATFORM_FILE = "ray-gke.yaml"
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Choice:
    """A platform, or none, and what goes with it."""

    platform: Platform | None
    catalogs: Catalogs
    kuberay_version: str
    site: Site

    def on_gke(self) -> Choice:
        """Return the same for GKE, where the node pools are ours."""
        return replace(self, site=replace(self.site, target="gke"))

    def with_images_as_named(self) -> Choice:
        """Return the same where images keep the names that files give them."""
        return replace(self, site=replace(self.site, image_registry=None))


@dataclass(frozen=True)
class Selected:
    """A blueprint with its parameters, and the plan that follows from it.

    `namespace` is where the platform puts it, if it says so.
    """

    loaded: Loaded
    plan: Plan
    namespace: str | None = None


def choose(
    file: Path | None, kuberay_version: str | None = None, prices: Path | None = None
) -> Choice:
    """Read the platform file: `file`, or `ray-gke.yaml` when this folder has one.

    And the price file: `prices`, or that of the platform, or ours.
    """
    check_version(kuberay_version)
    here = Path(PLATFORM_FILE)
    path = file or (here if here.is_file() else None)
    if path is None:
        site = Site(price_file.load(prices))
        return Choice(None, Catalogs.of(None), kuberay_version or KUBERAY_VERSION, site)
    platform = platform_file.load(path)
    spec = platform.spec
    site = Site(
        price_file.load(prices or platform.prices),
        spec.target,
        spec.region or REGION,
        spec.zones or (),
        max(1, spec.network.max_pods_per_node - SYSTEM_PODS_PER_NODE),
        pods_range=spec.network.pods,
        operator_namespace=spec.kuberay.namespace,
        managed_operator=spec.cluster.ray_operator,
        logs=spec.logs,
        metrics=spec.metrics,
        log_collector=_log_collector(spec),
        image_registry=beside_cluster(spec, platform.name),
    )
    version = kuberay_version or spec.kuberay.version or KUBERAY_VERSION
    return Choice(platform, Catalogs.of(platform), version, site)


def _log_collector(spec: PlatformSpec) -> bool | None:
    if spec.target == "local":
        return None
    return spec.cluster.ray_operator and spec.logs.mode == "gke"


def target(choice: Choice, on: str | None) -> str:
    """Return where runs go: `on` if the command line says so, or as the platform says.

    This machine without either.
    """
    return on or (choice.platform.spec.target if choice.platform else "local")


def check_version(kuberay_version: str | None) -> None:
    """Raise UsageError for a KubeRay that nobody knows."""
    if kuberay_version not in (None, *KUBERAY_VERSIONS):
        raise UsageError(
            f"--kuberay-version: KubeRay {kuberay_version} is not supported",
            hint=f"use one of {', '.join(KUBERAY_VERSIONS)}",
        )


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
        return [_on_command_line(choice, blueprint, given, name)]
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
    return _everything(choice, choice.platform)


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


def _on_command_line(
    choice: Choice, blueprint: str, given: Mapping[str, str], name: str | None
) -> Selected:
    """Return a run of the platform by its name, or else a blueprint.

    What the command line sets wins over what the platform's file sets.
    """
    platform = choice.platform
    for index, run in enumerate(platform.spec.blueprints if platform else ()):
        if platform and blueprint == (run.name or run.blueprint):
            return _on_platform(choice, platform, index, given, name)
    loaded = load(choice.catalogs.find(blueprint), given)
    namespace = platform.spec.namespace if platform else None
    return Selected(loaded, _build(loaded, name, choice), namespace)


def _build(loaded: Loaded, name: str | None, choice: Choice) -> Plan:
    try:
        return _sized(loaded, name, choice)
    except InvalidError as error:
        # What has no place in a file was said on the command line.
        if name and not any(problem.place for problem in error.problems):
            raise UsageError.of(error.problems) from None
        raise


def _sized(loaded: Loaded, name: str | None, choice: Choice) -> Plan:
    """Return the plan; where the nodes are ours, they hold what patches add too."""
    plan = build(loaded, name=name, site=choice.site)
    folder = templates(loaded.folder)
    if choice.site.target != "gke" or not (plan.patches or folder):
        return plan

    def manifests(plan: Plan) -> Sequence[dict[str, Any]]:
        return render(plan, kuberay_version=choice.kuberay_version, templates=folder)

    changed = requests.patched(plan, manifests(plan))
    if changed:
        plan = build(loaded, name=name, site=choice.site, patched=changed)
    problems = tuple(requests.disagreements(plan, manifests(plan)))
    if problems:
        raise InvalidError.of(problems)
    return plan


def _everything(choice: Choice, platform: Platform) -> list[Selected]:
    """Return all runs of the platform; raises InvalidError with all that is wrong."""
    found: dict[str, Selected] = {}
    declared_by: dict[int, Collection[str]] = {}
    problems: list[Problem] = []
    for index in range(len(platform.spec.blueprints)):
        try:
            one = _on_platform(choice, platform, index)
        except InvalidError as error:
            problems += error.problems
            continue
        if one.plan.name in found:
            place = platform.document.place(("spec", "blueprints", index))
            message = f"two runs are called {one.plan.name!r}"
            problems.append(Problem(message, place, "give each its own name"))
        found[one.plan.name] = one
        declared_by[index] = one.loaded.blueprint.parameters
    problems += platform.set_for_nothing(declared_by)
    if problems:
        # What a team sets wrongly is found once for each of its blueprints.
        raise InvalidError.of(tuple(dict.fromkeys(problems)))
    return list(found.values())


def _on_platform(
    choice: Choice,
    platform: Platform,
    index: int,
    given: Mapping[str, str] = _NOTHING,
    name: str | None = None,
) -> Selected:
    run = platform.spec.blueprints[index]
    place = platform.document.place(("spec", "blueprints", index, "blueprint"))
    folder = choice.catalogs.find(run.blueprint, base=platform.folder, place=place)
    loaded = load(folder, given, in_files=platform.assigned(index))
    plan = _build(loaded, name, choice) if name else _sized(loaded, run.name, choice)
    return Selected(loaded, plan, platform.namespace(run))


def again(one: Selected, choice: Choice) -> Selected:
    """Return a run as it is planned for another site, such as a cluster now known."""
    name = one.plan.name
    return replace(one, plan=_sized(one.loaded, name, choice))


def rendered(
    selected: Sequence[Selected], choice: Choice, namespace: str | None = None
) -> list[dict[str, Any]]:
    """Return the checked manifests of all plans, in apply order.

    In `namespace`, or without it each in its own.
    """
    return [
        manifest
        for one in selected
        for manifest in render(
            one.plan,
            kuberay_version=choice.kuberay_version,
            namespace=namespace or one.namespace,
            templates=templates(one.loaded.folder),
        )
    ]


def check(selected: Sequence[Selected], choice: Choice) -> None:
    """Raise InvalidError when the plans cannot be rendered.

    Here no cluster's KubeRay is in the way, so without a platform the newest counts.
    """
    newest = replace(choice, kuberay_version=KUBERAY_VERSIONS[-1])
    rendered(selected, choice if choice.platform else newest)


def namespace(choice: Choice, name: str | None) -> str | None:
    """Return where the platform puts the run `name`, or what has no other place.

    None where it does not say.
    """
    if choice.platform is None:
        return None
    for run in choice.platform.spec.blueprints:
        if name == (run.name or Path(run.blueprint).name):
            return choice.platform.namespace(run)
    return choice.platform.spec.namespace


def namespaces(platform: Platform) -> list[str | None]:
    """Return the namespace of each run of a platform, None where it does not say."""
    return [platform.namespace(run) for run in platform.spec.blueprints]


def templates(blueprint: Path) -> Path | None:
    """Return the templates of the catalog in which a blueprint's folder lies."""
    folder = blueprint.resolve().parent / "templates"
    return folder if folder.is_dir() else None


def folders(choice: Choice, names: Sequence[str]) -> list[Path]:
    """Return the folders of the blueprints `names`, or of all without names."""
    if names:
        return [choice.catalogs.find(name) for name in names]
    return [entry.folder for entry in choice.catalogs.entries()]


def runs_to_end(
    choice: Choice, running: Sequence[str], *, everything: bool
) -> Sequence[str]:
    """Return which of the `running` runs a `down` without a name means.

    All of the platform's, or the only one. Raises UsageError when it is not clear.
    """
    if everything:
        return running
    if choice.platform:
        runs = choice.platform.spec.blueprints
        names = {run.name or Path(run.blueprint).name for run in runs}
        return [name for name in running if name in names]
    if len(running) == 1:
        return running
    up = f"up now: {', '.join(running)}; or --all" if running else None
    raise UsageError("which NAME?" if running else "nothing is up", hint=up)
