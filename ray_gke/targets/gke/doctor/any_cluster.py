"""Whether a cluster that is there has what `up` needs: its own checks, as findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ray_gke.errors import RefusedError
from ray_gke.rendering import feature_gates, pod_security
from ray_gke.targets.gke.doctor.findings import (
    Finding,
    Report,
    from_problems,
    ok,
    warning,
)
from ray_gke.targets.kubernetes import checks
from ray_gke.targets.kubernetes.api import Api

Objects = Sequence[dict[str, Any]]


def look(api: Api, wanted: Mapping[str, Objects]) -> Report:
    """Return how the cluster is; `wanted` are the objects of all runs by namespace."""
    return Report(tuple(f for name in wanted for f in _namespace(api, name, wanted)))


def unreachable(error: RefusedError, context: str) -> Report:
    """Return why there is no cluster to look at."""
    return Report(tuple(from_problems("cluster", context, "refused", error.problems)))


def _namespace(api: Api, name: str, wanted: Mapping[str, Objects]) -> Iterator[Finding]:
    objects = wanted[name]
    kinds = frozenset(str(one["kind"]) for one in objects) or {"RayCluster"}
    restricted = pod_security.level(objects) == pod_security.RESTRICTED
    gates = feature_gates.needed(objects)
    needs = checks.Needs(
        name, frozenset(kinds), pods_restricted=restricted, feature_gates=gates
    )
    try:
        found = checks.check(api, needs)
    except RefusedError as error:
        yield from from_problems("cluster", name, "refused", error.problems)
        return
    kuberay = found.kuberay or "of an unknown version"
    told = f"Kubernetes {found.kubernetes}, KubeRay {kuberay}"
    yield ok("cluster", name, told)
    yield from (warning("cluster", name, note) for note in found.notes)
