"""What tests on real nodes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ray_gke.testing import RayGke
from tests.cluster.bed import Bed
from tests.cluster.object_store import ObjectStore
from tests.cluster.real_node import RealNode
from tests.node.command_line import CommandLine

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


@pytest.fixture
def here(ray_gke: RayGke, real_cluster: Bed, real_namespace: str) -> CommandLine:
    """The command line, at a namespace that goes with all that is in it.

    It takes only pods that Pod Security calls restricted.
    """
    level = "pod-security.kubernetes.io/enforce=restricted"
    real_cluster.kubectl("label", "namespace", real_namespace, level)
    ray_gke.env["KUBECONFIG"] = str(real_cluster.kubeconfig)
    return CommandLine(ray_gke, real_namespace)


@pytest.fixture(scope="session")
def object_store(
    real_cluster: Bed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ObjectStore]:
    """An S3 server that pods reach."""
    assert real_cluster.network
    store = ObjectStore(
        tmp_path_factory.mktemp("store"), address=real_cluster.network.address
    )
    store.start()
    yield store
    store.stop()
