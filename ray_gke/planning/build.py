"""From what a blueprint asks to what will be done: the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ray_gke.catalog import prices
from ray_gke.catalog.blueprint import Spec
from ray_gke.catalog.groups import Group as GivenGroup
from ray_gke.catalog.load import Loaded
from ray_gke.errors import InvalidError, Place, Problem
from ray_gke.planning import day_two, groups, images, ray, recovery_rules, selectors
from ray_gke.planning.choice import NoMachine
from ray_gke.planning.faults import faults
from ray_gke.planning.plan import HEAD, SUBMITTER, Group, Plan, WorkloadKind
from ray_gke.planning.pods import Patched
from ray_gke.planning.site import Site

_NOTHING: Mapping[str, Patched] = {}
_DAY_TWO = (
    ("auth_options", "mode"),
    ("auth_options", "secret_name"),
    ("head", "gpu"),
    ("head", "node_selector"),
    ("head", "tolerations"),
    ("history_server_options",),
    ("logs", "mode"),
    ("metrics", "mode"),
    ("network_policy", "mode"),
    ("tls_options",),
    ("tls_options", "secret_name"),
)


def build(
    loaded: Loaded,
    *,
    name: str | None = None,
    site: Site | None = None,
    patched: Mapping[str, Patched] = _NOTHING,
) -> Plan:
    """Return the plan of a loaded blueprint, run as `name` or under its own name.

    On `site`, without it any cluster. `patched` is what the pods of each group ask
    for with patches, by its name. Raises InvalidError with everything that no cluster
    could do.
    """
    site = site or Site(prices.load())
    problems = tuple(faults(loaded, name, site))
    if problems:
        raise InvalidError.of(problems)
    spec = loaded.blueprint.spec
    groups_ = _groups(loaded, site, patched)
    kind, workload = _workload(spec)
    image_registry = site.image_registry if site.target == "gke" else None
    return Plan(
        name=name or loaded.blueprint.metadata.name,
        blueprint=loaded.blueprint.metadata.name,
        kind=kind,
        ray_version=ray.version(spec),
        image=ray.image(spec),
        head=groups_[0],
        worker_groups=tuple(groups_[1:]),
        submitter=groups.submitter(groups_[0], site, patched.get(SUBMITTER))
        if spec.job
        else None,
        workload=workload,
        env=spec.env,
        idle_timeout_seconds=spec.autoscaler_options.idle_timeout_seconds,
        upscaling_mode=spec.autoscaler_options.upscaling_mode,
        files=loaded.files,
        serve_config=loaded.serve_config,
        patches=spec.patches,
        notes=(
            *ray.notes(spec),
            *day_two.notes(spec, site),
            *recovery_rules.notes(spec, loaded.serve_config, groups_[1:]),
            *images.notes(spec, site, image_registry),
        ),
        places=_places(loaded),
        day_two=day_two.day_two(spec, site),
        image_registry=image_registry,
    )


def _groups(loaded: Loaded, site: Site, patched: Mapping[str, Patched]) -> list[Group]:
    """Return head and worker groups; raises InvalidError with all that fit nowhere."""
    spec = loaded.blueprint.spec
    found: list[Group] = []
    problems: list[Problem] = []

    def add(
        make: Callable[[], Group], given: GivenGroup, name: str, *path: str | int
    ) -> None:
        place = loaded.document.place
        try:
            group = make()
        except NoMachine as error:
            where = place(("spec", *path, *error.key))
            problems.append(Problem(f"{name}: {error.message}", where, error.hint))
            return
        found.append(group)
        if site.target == "gke":
            for inside, message, hint in selectors.faults(given, group, site):
                problems.append(Problem(message, place(("spec", *path, *inside)), hint))

    head = patched.get(HEAD)
    add(lambda: groups.head(spec, site, head), spec.head, "head", "head")
    for index, given in enumerate(spec.worker_groups):
        make = partial(groups.worker_group, given, spec, site, patched.get(given.name))
        add(make, given, f"group {given.name}", "worker_groups", index)
    if problems:
        raise InvalidError.of(problems)
    return found


def _workload(spec: Spec) -> tuple[WorkloadKind, Any]:
    kinds: tuple[WorkloadKind, ...] = ("cluster", "job", "service")
    return next((k, getattr(spec, k)) for k in kinds if getattr(spec, k) is not None)


def _places(loaded: Loaded) -> Mapping[tuple[str | int, ...], Place]:
    """What rendering may refuse or warn of, down to every key of patches."""
    spec = loaded.blueprint.spec
    paths: list[tuple[str | int, ...]] = [
        ("spec", *path) for path in _DAY_TWO if _has(spec, path)
    ]
    policy = spec.network_policy
    for key in ("ingress_rules", "egress_rules"):
        rules = range(len(getattr(policy, key)))
        paths += [("spec", "network_policy", key, index) for index in rules]
    paths += [
        ("spec", "worker_groups", index, key)
        for index, group in enumerate(spec.worker_groups)
        for key in ("priority", "gpu")
        if getattr(group, key) is not None
    ]
    paths += [("spec", "env", name) for name in spec.env]
    for index, patch in enumerate(spec.patches):
        path = ("spec", "patches", index)
        paths += [path, (*path, "kind"), (*path, "name")]
        paths += _inside(patch.patch, (*path, "patch"))
    return {path: loaded.document.place(path) for path in paths}


def _has(spec: Spec, path: tuple[str, ...]) -> bool:
    found: Any = spec
    for step in path:
        found = getattr(found, step) if found is not None else None
    return found is not None


def _inside(
    value: object, path: tuple[str | int, ...]
) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _inside(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _inside(inner, (*path, index))
