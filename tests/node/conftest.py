"""What tests on real nodes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.bed import Bed
from tests.cluster.real_node import RealNode

SPOT_TAINT = {
    "key": "cloud.google.com/gke-spot",
    "value": "true",
    "effect": "NoSchedule",
}
SPOT_LABELS = {
    "cloud.google.com/gke-provisioning": "spot",
    "cloud.google.com/gke-spot": "true",
}


@pytest.fixture(scope="session")
def spot_node(real_cluster: Bed) -> Iterator[RealNode]:
    """A second real node, with what GKE puts on nodes of a Spot pool."""
    assert real_cluster.network
    assert real_cluster.registry
    node = RealNode(
        real_cluster.control_plane,
        real_cluster.network,
        real_cluster.folder,
        registry=real_cluster.registry.host,
        number=2,
        labels=SPOT_LABELS,
        taints=[SPOT_TAINT],
    )
    try:
        node.start()
        yield node
    finally:
        node.stop()
        real_cluster.kubectl("delete", "node", node.name, "--ignore-not-found")
