"""The gates of KubeRay's operator that its objects need, and that are off by default.

With one of them off the operator makes no pods, and only writes an event. Source:
KubeRay 1.7.0, pkg/features/features.go and controllers/ray/utils/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ray_gke.rendering.kuberay_rules import ray_cluster
from ray_gke.rendering.templates import Manifest
from ray_gke.versions import KUBERAY_SINCE

TLS = "RayClusterMTLS"
GATES: Mapping[str, str] = {
    "historyServerOptions": "RayClusterHistoryServer",
    "networkPolicy": "RayClusterNetworkPolicy",
    "tlsOptions": TLS,
}
"""By the field of a Ray cluster."""

SINCE = KUBERAY_SINCE["RayClusterSpec.tlsOptions"]
"""Where the fields, and their gates, begin."""


def needed(objects: Iterable[Manifest]) -> tuple[str, ...]:
    """Return the gates without which the operator refuses some of the objects."""
    clusters = [ray_cluster(one)[1] for one in objects]
    return tuple(
        gate
        for field, gate in GATES.items()
        if any(cluster.get(field) is not None for cluster in clusters)
    )
