"""What fault tolerance and high availability ask of a blueprint."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ray_gke.catalog.blueprint import Spec
from ray_gke.planning.plan import Group

_Fault = tuple[tuple[str | int, ...], str, str]
"""Where in the blueprint, what is wrong, and what to do next."""

_LEAST = 2
_AVAILABLE = ("spec", "service", "highly_available")

_SHARED_BY_SERVICE = (
    "both clusters of a service that is upgraded would share their state"
)
# KubeRay makes another RayCluster for each try (backoffLimit), and a changed job is
# another RayJob.
_SHARED_BY_JOB = "each try of a job is a new cluster, and all would share their state"


def faults(spec: Spec, serve_config: Mapping[str, Any] | None) -> Iterator[_Fault]:
    """Yield what is wrong; `serve_config` is the parsed one of a service."""
    recovery = spec.gcs_fault_tolerance_options
    if recovery and recovery.external_storage_namespace and not spec.cluster:
        yield (
            ("spec", "gcs_fault_tolerance_options", "external_storage_namespace"),
            _SHARED_BY_SERVICE if spec.service else _SHARED_BY_JOB,
            "leave it out: each cluster then has a namespace of its own",
        )
    if spec.highly_available:
        yield from _highly_available(spec)
        yield from _replicas(serve_config or {})


def notes(
    spec: Spec, serve_config: Mapping[str, Any] | None, groups: Sequence[Group]
) -> Iterator[str]:
    """Yield what to know of a highly available service with these worker groups."""
    if not spec.highly_available:
        return
    for application in (serve_config or {}).get("applications", ()):
        name = application.get("name", "default")
        for deployment in application.get("deployments", ()):
            if most_per_node(deployment, groups) >= _fewest(deployment):
                yield (
                    f"the replicas of {deployment.get('name')} may all stand on one "
                    "worker: let max_replicas of the worker groups reach that of its "
                    "autoscaling, or set max_replicas_per_node"
                )
        if not application.get("deployments"):
            yield (
                f"the Serve config does not say how many replicas application {name} "
                "has, and one is Serve's default: list its deployments with "
                f"num_replicas {_LEAST} or more"
            )


def most_per_node(deployment: Mapping[str, Any], groups: Sequence[Group]) -> int:
    """Return how many replicas of a deployment one of the workers may have.

    So few that the fewest replicas are spread over the fewest workers, unless the most
    of them would then not find room on the most workers. Serve gives a replica to a
    worker that is there, and a new cluster's first worker is there first.
    """
    if given := deployment.get("max_replicas_per_node"):
        return int(given)
    least = sum(group.min_replicas for group in groups)
    most = sum(group.max_replicas for group in groups)
    fewest, largest = _fewest(deployment), _largest(deployment)
    return max(math.ceil(fewest / max(1, least)), math.ceil(largest / max(1, most)))


def fewest_serving(
    serve_config: Mapping[str, Any] | None, groups: Sequence[Group]
) -> int:
    """Return how many of the workers have a replica at least: the others never answer.

    Serve has a proxy only where a replica is, and a pod without one is not Ready.
    """
    needed = [
        math.ceil(_fewest(deployment) / most_per_node(deployment, groups))
        for application in (serve_config or {}).get("applications", ())
        for deployment in application.get("deployments", ())
    ]
    return min(max(needed, default=1), sum(group.max_replicas for group in groups))


def _highly_available(spec: Spec) -> Iterator[_Fault]:
    if spec.gcs_fault_tolerance_options is None:
        yield (
            _AVAILABLE,
            "without gcs_fault_tolerance_options the service ends with its head",
            "add gcs_fault_tolerance_options: {redis_address: HOST:6379}",
        )
    if not spec.worker_groups:
        yield (
            _AVAILABLE,
            "the head answers no requests, and there are no worker groups",
            "add a worker group",
        )
    if spec.head.num_cpus:
        yield (
            ("spec", "head", "num_cpus"),
            "replicas on the head would end with it",
            "leave it out: then the head takes none",
        )
    for index, group in enumerate(spec.worker_groups):
        for key in ("min_replicas", "max_replicas"):
            value = getattr(group, key)
            if key in group.model_fields_set and value is not None and value < _LEAST:
                yield (
                    ("spec", "worker_groups", index, key),
                    f"{key} {value} is not highly available",
                    f"set it to {_LEAST} or more",
                )


def _replicas(serve_config: Mapping[str, Any]) -> Iterator[_Fault]:
    for application in serve_config.get("applications", ()):
        for deployment in application.get("deployments", ()):
            least = _fewest(deployment)
            if least < _LEAST:
                yield (
                    _AVAILABLE,
                    f"deployment {deployment.get('name')} may have {least} replica",
                    f"give it num_replicas, or min_replicas of autoscaling, {_LEAST}",
                )


def _fewest(deployment: Mapping[str, Any]) -> int:
    """Return the fewest replicas; with autoscaling Serve's own default is 1."""
    return _replicas_of(deployment, "min_replicas", auto=1)


def _largest(deployment: Mapping[str, Any]) -> int:
    """Return the most replicas; for `auto` Serve's own default is 100."""
    return _replicas_of(deployment, "max_replicas", auto=100)


def _replicas_of(deployment: Mapping[str, Any], limit: str, *, auto: int) -> int:
    if scaling := deployment.get("autoscaling_config"):
        return int(scaling.get(limit, 1))
    replicas = deployment.get("num_replicas", 1)
    return auto if replicas == "auto" else int(replicas)
