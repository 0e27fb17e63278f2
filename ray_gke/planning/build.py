"""From what a blueprint asks to what will be done: the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ray_gke.catalog.blueprint import Spec
from ray_gke.catalog.load import Loaded
from ray_gke.errors import InvalidError, Place
from ray_gke.planning import groups, ray
from ray_gke.planning.faults import faults
from ray_gke.planning.plan import Plan, WorkloadKind


def build(loaded: Loaded, *, name: str | None = None) -> Plan:
    """Return the plan of a loaded blueprint, run as `name` or under its own name.

    Raises InvalidError with everything that no cluster could do.
    """
    problems = tuple(faults(loaded, name))
    if problems:
        raise InvalidError.of(problems)
    spec = loaded.blueprint.spec
    kind, workload = _workload(spec)
    return Plan(
        name=name or loaded.blueprint.metadata.name,
        blueprint=loaded.blueprint.metadata.name,
        kind=kind,
        ray_version=ray.version(spec),
        image=ray.image(spec),
        head=groups.head(spec),
        worker_groups=tuple(
            groups.worker_group(group, spec.env) for group in spec.worker_groups
        ),
        workload=workload,
        env=spec.env,
        idle_timeout_seconds=spec.autoscaler_options.idle_timeout_seconds,
        upscaling_mode=spec.autoscaler_options.upscaling_mode,
        files=loaded.files,
        serve_config=loaded.serve_config,
        patches=spec.patches,
        notes=(*ray.notes(spec), *_notes(spec)),
        places=_places(loaded),
    )


def _workload(spec: Spec) -> tuple[WorkloadKind, Any]:
    kinds: tuple[WorkloadKind, ...] = ("cluster", "job", "service")
    return next((k, getattr(spec, k)) for k in kinds if getattr(spec, k) is not None)


def _notes(spec: Spec) -> Iterator[str]:
    for group in spec.worker_groups:
        if group.gpu and group.gpu.sharing and group.gpu.sharing.strategy == "mps":
            yield (
                f"group {group.name} uses MPS: its pods share the host's IPC, which a "
                "namespace with Pod Security baseline or restricted refuses"
            )


def _places(loaded: Loaded) -> Mapping[tuple[str | int, ...], Place]:
    """What rendering may refuse: priorities and patches, down to every key."""
    spec = loaded.blueprint.spec
    paths: list[tuple[str | int, ...]] = [
        ("spec", "worker_groups", index, "priority")
        for index, group in enumerate(spec.worker_groups)
        if group.priority is not None
    ]
    for index, patch in enumerate(spec.patches):
        path = ("spec", "patches", index)
        paths += [path, (*path, "kind"), (*path, "name")]
        paths += _inside(patch.patch, (*path, "patch"))
    return {path: loaded.document.place(path) for path in paths}


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
