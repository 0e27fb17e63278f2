"""What the autoscaler decides, given pools, nodes and pods."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.gke import node_pools, scaling
from tests.gke.node_pools import NodePool
from tests.gke.written import GPU, ZONES, gpus, pod, put_cluster, put_pool
from tests.terraform import program
from tests.terraform.cloud import Cloud

Object = dict[str, Any]
PREFIX = "cloud.google.com/"


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    try:
        return Cloud(tmp_path / "cloud")
    except program.MissingProgram as missing:
        pytest.skip(str(missing))


def waiting(name: str, requests: Object, *, priority: int = 0, **spec: Any) -> Object:
    """Return a pod that the scheduler has found no node for."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    found = pod(name, requests, priority=priority, **spec)
    found["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    return found | {"status": {"phase": "Pending", "conditions": [condition]}}


def brought(pools: list[NodePool], *pods: Object) -> Counter[str]:
    """Return how many nodes of each pool come for pods, where there is none."""
    return Counter(pool.name for pool, _ in scaling.for_pods(pools, [], [], pods))


def on_gpus(number: int, **spec: Any) -> list[Object]:
    every = {"tolerations": [{"key": GPU, "operator": "Exists"}], **spec}
    return [waiting(f"p{n}", {"cpu": "1", GPU: "1"}, **every) for n in range(number)]


def test_a_node_is_shared_by_as_many_as_fit_and_a_pool_has_a_maximum(
    cloud: Cloud,
) -> None:
    ray = put_cluster(cloud, "ray")
    a100 = {"machine_type": "a2-highgpu-1g", **gpus("nvidia-tesla-a100", "1g.5gb")}
    put_pool(cloud, ray, "slices", node=a100, scaling={"total_max_node_count": 3})
    pools = node_pools.of_cluster(cloud)
    assert brought(pools, *on_gpus(7)) == {"slices": 1}
    assert brought(pools, *on_gpus(8)) == {"slices": 2}
    assert brought(pools, *on_gpus(50)) == {"slices": 3}
    found = scaling.for_pods(pools, [], [], on_gpus(21))
    assert Counter(zone for _, zone in found) == {ZONES[0]: 2, ZONES[1]: 1}


def test_the_limits_of_a_pool_may_be_those_of_each_zone(cloud: Cloud) -> None:
    ray = put_cluster(cloud, "ray")
    none = {"total_min_node_count": None, "total_max_node_count": None}
    limits = {**none, "min_node_count": 1, "max_node_count": 3}
    put_pool(cloud, ray, "zonal", scaling=limits)
    (pool,) = node_pools.of_cluster(cloud)
    assert (pool.initial, pool.minimum, pool.maximum) == (2, 2, 6)


@pytest.mark.parametrize(("priority", "nodes"), [(0, 1), (-10, 1), (-11, 0)])
def test_pods_of_no_importance_bring_no_nodes(
    cloud: Cloud, priority: int, nodes: int
) -> None:
    put_pool(cloud, put_cluster(cloud, "ray"), "plain")
    pools = node_pools.of_cluster(cloud)
    balloon = waiting("balloon", {"cpu": "1"}, priority=priority)
    assert brought(pools, balloon).total() == nodes


def test_pods_get_nodes_of_a_pool_that_they_may_run_on(cloud: Cloud) -> None:
    ray = put_cluster(cloud, "ray")
    put_pool(
        cloud, ray, "a-l4", node={"machine_type": "g2-standard-8"} | gpus("nvidia-l4")
    )
    put_pool(cloud, ray, "b-t4", node=gpus("nvidia-tesla-t4", clients=4))
    put_pool(cloud, ray, "c-labels", node={"labels": {"team": "vision"}})
    put_pool(cloud, ray, "d-spot", node={"spot": True})
    pools = node_pools.of_cluster(cloud)
    assert brought(pools, *on_gpus(1)) == {"a-l4": 1}
    assert not brought(pools, waiting("untolerant", {GPU: "1"}))
    t4 = {f"{PREFIX}gke-accelerator": "nvidia-tesla-t4"}
    assert brought(pools, *on_gpus(1, nodeSelector=t4)) == {"b-t4": 1}
    plain = waiting("plain", {"cpu": "1"})
    assert brought(pools, plain) == {"c-labels": 1}
    assert brought(pools, waiting("large", {"cpu": "17"})) == {}
    for operator, values, pool in (
        ("In", ["spot", "flex-start"], "d-spot"),
        ("NotIn", ["standard"], "d-spot"),
    ):
        rule = {"key": f"{PREFIX}gke-provisioning", "operator": operator}
        affinity = required({**rule, "values": values})
        assert brought(pools, waiting("p", {}, affinity=affinity)) == {pool: 1}


def required(*expressions: Object) -> Object:
    terms = {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def test_pods_that_find_a_place_bring_no_node(cloud: Cloud) -> None:
    """The scheduler comes back to a pod seconds after its node has come."""
    put_pool(cloud, put_cluster(cloud, "ray"), "plain")
    (pool,) = node_pools.of_cluster(cloud)
    node = {
        "metadata": {"name": "n", "labels": dict(pool.node_labels(ZONES[0]))},
        "spec": {},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
    }
    there = pod("there", {"cpu": "3"}, nodeName="n") | {"status": {"phase": "Running"}}

    def number(node: Object, *pods: Object) -> int:
        return len(scaling.for_pods([pool], [], [node], pods))

    small = waiting("small", {"cpu": "1"})
    assert number(node, there, small) == 0
    assert number(node, there, small, waiting("second", {"cpu": "1"})) == 1
    assert number(node | {"spec": {"unschedulable": True}}, there, small) == 1
    small["status"]["nominatedNodeName"] = "n"
    assert number(node, there, small) == 0


def test_clusters_of_one_cloud_are_not_mixed(cloud: Cloud) -> None:
    for name in ("ray", "ray-2"):
        put_pool(cloud, put_cluster(cloud, name), "plain")
    (pool,) = node_pools.of_cluster(cloud, "ray")
    assert pool.id.endswith("/clusters/ray/nodePools/plain")
    assert pool.node_name("abcd") != node_pools.of_cluster(cloud, "ray-2")[0].node_name(
        "abcd"
    )
    with pytest.raises(LookupError, match="ray-2"):
        node_pools.of_cluster(cloud)
