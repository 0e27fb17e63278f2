"""What a cluster has that plans for it follow from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ray_gke.planning.day_two import CLUSTER_RULES, MONITORS, RULES
from ray_gke.targets.kubernetes import kuberay_operator, permissions
from ray_gke.targets.kubernetes.api import Api, ApiError, NotAllowedError
from ray_gke.targets.kubernetes.resources import resource

MONITORING = (*MONITORS, *RULES.values())
"""The kinds that tell Prometheus what to read, and when to raise an alarm."""


@dataclass(frozen=True)
class Facts:
    """The cluster's KubeRay, None where it is out of sight, and its kinds of monitors.

    The version is the newest known one that is not newer than what is there. Of what is
    in no namespace, `monitors` has only what the user may write. `gke` is
    whether its nodes are GKE's.
    """

    kuberay_version: str | None
    operator_namespace: str | None
    monitors: frozenset[str]
    gke: bool


def read(api: Api) -> Facts:
    """Return the facts of a cluster."""
    operator = kuberay_operator.find(api)
    return Facts(
        kuberay_operator.kuberay_version(api, operator),
        operator.namespace if operator else None,
        _monitors(api),
        is_gke(api),
    )


def _monitors(api: Api) -> frozenset[str]:
    found = served(api, (*MONITORING, CLUSTER_RULES))
    if CLUSTER_RULES in found:
        # Whoever has rights in a namespace alone goes without.
        needed = permissions.to_write(CLUSTER_RULES)
        return found - ({CLUSTER_RULES} if permissions.missing(api, needed) else set())
    return found


def is_gke(api: Api) -> bool:
    """Tell whether a cluster is GKE's, by the version, such as v1.34.1-gke.2037000."""
    try:
        found = api.read("/version", what="ask for the version")
    except (ApiError, NotAllowedError):
        return False
    return "-gke." in str((found or {}).get("gitVersion", ""))


def served(api: Api, kinds: Iterable[str]) -> frozenset[str]:
    """Return those of the kinds that the API server has."""
    by_version: dict[str, list[str]] = {}
    for kind in kinds:
        by_version.setdefault(resource(kind).api_version, []).append(kind)

    def plurals(version: str) -> set[str]:
        try:
            found = api.read(f"/apis/{version}", what=f"list kinds of {version}")
        except (ApiError, NotAllowedError):
            return set()
        return {one.get("name") for one in (found or {}).get("resources") or ()}

    there = api.in_parallel(plurals, list(by_version))
    return frozenset(
        kind
        for names, some in zip(there, by_version.values(), strict=True)
        for kind in some
        if resource(kind).plural in names
    )
