"""What a blueprint asks that no cluster could do, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ray_gke import versions
from ray_gke.catalog import blueprint
from ray_gke.catalog.cross_checks import LONGEST_NAME
from ray_gke.catalog.load import Loaded
from ray_gke.errors import Problem
from ray_gke.planning import day_two, gpus, ray, recovery_rules
from ray_gke.planning.site import Site

_RAY_RESOURCES = frozenset({"cpu", "gpu", "memory", "object_store_memory"})
_OPERATOR_LABELS = frozenset(
    {
        "app.kubernetes.io/created-by",
        "app.kubernetes.io/name",
        "ray.io/cluster",
        "ray.io/group",
        "ray.io/identifier",
        "ray.io/is-ray-node",
        "ray.io/node-id",
        "ray.io/node-type",
        "ray.io/serve",
    }
)

_Path = tuple[str | int, ...]
_Fault = tuple[_Path, str, str]
"""Where in the blueprint, what is wrong, and what to do next."""


def faults(loaded: Loaded, name: str | None, site: Site) -> Iterator[Problem]:
    """Yield everything that is wrong with running the blueprint as `name` on `site`."""
    spec = loaded.blueprint.spec
    if name:
        yield from _name(name, loaded.blueprint.spec)
    found = [
        *_ray(spec),
        *_group(spec.head, ("spec", "head"), site),
        *recovery_rules.faults(spec, loaded.serve_config),
        *_logs(spec, site),
    ]
    for index, group in enumerate(spec.worker_groups):
        path: _Path = ("spec", "worker_groups", index)
        found += [*_worker_group(group, path, spec), *_group(group, path, site)]
    for path, message, hint in found:
        yield Problem(message, loaded.document.place(path), hint)


def _name(run: str, spec: blueprint.Spec) -> Iterator[Problem]:
    """What stands in the file the catalog has checked; this name does not."""
    kind = next(k for k in LONGEST_NAME if getattr(spec, k) is not None)
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", run):
        yield Problem(
            f"{run!r} is not a name for a {kind}",
            hint="use lower-case letters, digits and hyphens, and begin with a letter",
        )
    elif len(run) > LONGEST_NAME[kind]:
        yield Problem(
            f"{run} has {len(run)} characters, and KubeRay allows the name of a "
            f"{kind} {LONGEST_NAME[kind]}",
            hint="choose a shorter name",
        )


def _ray(spec: blueprint.Spec) -> Iterator[_Fault]:
    version, oldest = ray.version(spec), versions.OLDEST_RAY
    if versions.parsed(version) < versions.parsed(oldest):
        key = "version" if spec.ray.version else "image"
        yield (
            ("spec", "ray", key),
            f"Ray {version} has no token authentication",
            f"use Ray {oldest} or later",
        )


def _logs(spec: blueprint.Spec, site: Site) -> Iterator[_Fault]:
    if site.log_collector and day_two.logs(spec, site).mode == "sidecar":
        message = (
            "the log collector of GKE, which this platform turns on, and the sidecar "
            "each want a volume called ray-logs"
        )
        hint = "leave mode out, or take logs.mode gke out of the platform file"
        yield ("spec", "logs", "mode"), message, hint


def _worker_group(
    group: blueprint.WorkerGroup, path: _Path, spec: blueprint.Spec
) -> Iterator[_Fault]:
    since = versions.RAY_SINCE["priority of a worker group"]
    version = ray.version(spec)
    if group.priority is not None and versions.parsed(version) < versions.parsed(since):
        yield (
            (*path, "priority"),
            f"Ray {version} has no priority of worker groups",
            f"use Ray {since} or later, or leave priority out",
        )


def _group(group: blueprint.Group, path: _Path, site: Site) -> Iterator[_Fault]:
    for inside, message, hint in gpus.faults(group, site):
        yield (*path, *inside), message, hint
    for key in sorted(_OPERATOR_LABELS & group.labels.keys()):
        yield (
            (*path, "labels", key),
            f"KubeRay finds its pods by the label {key}",
            "choose another label",
        )
    for key in group.resources:
        if key.lower() in _RAY_RESOURCES:
            yield (
                (*path, "resources", key),
                f"{key} is a resource that Ray counts itself",
                "use cpu, memory or gpu of the group, or choose another name",
            )
    for index, toleration in enumerate(group.tolerations):
        yield from _toleration(toleration, (*path, "tolerations", index))


def _toleration(toleration: blueprint.Toleration, path: _Path) -> Iterator[_Fault]:
    """Kubernetes' own rules for a toleration (apis/core/validation)."""
    if toleration.key is None and toleration.operator == "Equal":
        yield path, "a toleration with operator Equal needs a key", "give key"
    if toleration.value and toleration.operator == "Exists":
        yield (
            (*path, "value"),
            "a toleration with operator Exists has no value",
            "leave value out, or use operator Equal",
        )
    if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
        yield (
            (*path, "toleration_seconds"),
            "toleration_seconds needs effect NoExecute",
            "leave it out, or use effect NoExecute",
        )
