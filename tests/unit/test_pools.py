from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from ray_gke.catalog.gpu import Gpu
from ray_gke.errors import InvalidError
from ray_gke.gke.resources import GIB, Resources
from ray_gke.planning.capacity import NodePool
from ray_gke.planning.plan import Group
from ray_gke.planning.pool_names import name_of
from ray_gke.planning.pools import capacity
from ray_gke.planning.runs import PlatformFacts, Run
from tests.pool_plans import CPU, SHARE, SITE, SLICE, group, plan

SPOT = replace(SLICE, provisioning=("spot",))


def pools(*groups: Group) -> dict[str, NodePool]:
    found = capacity([Run(plan("demo", *groups))], SITE)
    return {
        each.group: next(p for p in found.pools if p.name == each.pool)
        for each in found.groups
    }


def with_disk(worker: Group) -> Group:
    assert worker.nodes
    disks = ("global/images/ray",)
    return replace(worker, nodes=replace(worker.nodes, secondary_boot_disks=disks))


def name(worker: Group) -> str:
    assert worker.nodes
    return name_of(worker.nodes)


def test_the_stable_diffusion_demo_gets_four_of_its_eight_shares() -> None:
    found = capacity([Run(plan("sd", group("gpu", SHARE), kind="service"))], SITE)
    gpu = found.groups[1]
    assert (gpu.slots_per_node, gpu.limit) == (4, "memory")
    assert gpu.notes[0].startswith(
        "only 4 of the 8 shares of a node can be used: memory binds"
    )
    assert "4 are stranded" in gpu.notes[0]
    # 15.04 CPUs and 52.5 GiB are left for pods: for eight both must shrink.
    assert "ask at most 1.88 CPU and 6.5 GiB" in gpu.notes[0]
    pool = next(p for p in found.pools if p.name == gpu.pool)
    assert (pool.nodes_at_minimum, pool.nodes_at_maximum) == (1, 2)
    assert [(a.nodes, a.pods[0].pods, a.stranded.gpus) for a in pool.maximum] == [
        (2, 4, 4)
    ]
    assert gpu.price_per_slot == Decimal("0.3")
    assert any("up to 8 more" in note for note in gpu.notes)


def test_groups_of_one_kind_share_a_pool_over_all_runs() -> None:
    runs = [
        Run(plan("a", group("x", replace(SLICE, max_replicas=3)))),
        Run(plan("b", group("y", replace(SLICE, max_replicas=4)))),
    ]
    found = capacity(runs, SITE)
    carried = next(p for p in found.pools if p.partition)
    assert carried.nodes_at_maximum == 1
    assert {(on.run, on.group, on.pods) for on in carried.maximum[0].pods} == {
        ("a", "x", 3),
        ("b", "y", 4),
    }
    assert capacity(runs[::-1], SITE).pools == found.pools


@pytest.mark.parametrize(
    "other",
    [
        group("x", SPOT),
        group("x", replace(SLICE, machine_type="a2-highgpu-2g")),
        group("x", replace(SLICE, zones=("us-central1-a",))),
        with_disk(group("x", SLICE)),
        group("x", replace(SLICE, queued_provisioning=True)),
    ],
)
def test_nodes_that_differ_have_pools_that_differ(other: Group) -> None:
    assert name(other) != name(group("x", SLICE))


@pytest.mark.parametrize(
    ("worker", "begin"),
    [
        (group("x", SLICE), "a2-highgpu-1g-1g-5gb-"),
        (group("x", SPOT), "a2-highgpu-1g-1g-5gb-spot-"),
        (group("x", SHARE), "n1-standard-16-t4-"),
        (group("x", CPU), "e2-standard-4-"),
    ],
)
def test_a_name_is_readable_and_gke_takes_it(worker: Group, begin: str) -> None:
    assert name(worker).startswith(begin)
    assert len(name(worker)) <= 40
    assert re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", name(worker))


def test_a_name_depends_neither_on_who_asks_nor_on_the_order_of_zones() -> None:
    zones = ("us-central1-a", "us-central1-b")
    one = group("x", replace(SLICE, zones=zones))
    two = group("y", replace(SLICE, zones=zones[::-1], max_replicas=2))
    assert name(one) == name(two)


def test_a_pool_starts_empty_and_ends_at_the_replica_limits() -> None:
    pool = pools(group("gpu", replace(SLICE, max_replicas=15)))["gpu"]
    assert pool.initial_node_count == pool.total_min_node_count == 0
    assert pool.total_max_node_count == pool.nodes_at_maximum == 3
    assert (pool.gpus_per_node, pool.devices_per_node) == (1, 7)


@pytest.mark.parametrize(
    ("need", "policy"),
    [
        (SLICE, "ANY"),
        (SPOT, "ANY"),
        (CPU, "BALANCED"),
        (replace(CPU, provisioning=("spot",)), "ANY"),
        (replace(SLICE, provisioning=("reservation",), reservation="ours"), "BALANCED"),
    ],
)
def test_scarce_nodes_are_taken_where_there_are_any(need: object, policy: str) -> None:
    worker = group("x", need)  # type: ignore[arg-type]
    assert pools(worker)["x"].location_policy == policy


def test_a_pool_declares_its_labels_and_taints() -> None:
    pool = pools(group("gpu", SPOT))["gpu"]
    assert pool.labels["cloud.google.com/gke-nodepool"] == pool.name
    assert pool.labels["cloud.google.com/gke-gpu-partition-size"] == "1g.5gb"
    assert [(t.key, t.value, t.effect) for t in pool.taints] == [
        ("nvidia.com/gpu", "present", "NoSchedule"),
        ("cloud.google.com/gke-spot", "true", "NoSchedule"),
    ]


def test_zones_without_the_gpu_are_left_out_and_told() -> None:
    site = replace(SITE, zones=("us-central1-a", "us-central1-d"))
    worker = group("gpu", SLICE, site)
    found = capacity([Run(plan("demo", worker))], site)
    pool = next(p for p in found.pools if p.partition)
    assert pool.zones == ("us-central1-a",)
    notes = next(g.notes for g in found.groups if g.group == "gpu")
    assert any("us-central1-d" in note for note in notes)


@pytest.mark.parametrize(
    ("zones", "regional", "nodes"),
    [((), True, 3), ((), False, 1), (("us-central1-a", "us-central1-b"), True, 2)],
)
def test_the_system_pool_has_a_node_in_each_zone(
    zones: tuple[str, ...], regional: bool, nodes: int
) -> None:
    site = replace(SITE, zones=zones)
    found = capacity([Run(plan("demo"))], site, PlatformFacts(regional=regional))
    system = found.pools[0]
    assert (system.name, system.machine_type) == ("system", "e2-standard-4")
    assert (system.nodes_at_minimum, system.total_max_node_count) == (nodes, nodes)
    assert system.taints[0].key == "components.gke.io/gke-managed-components"


def test_a_node_of_whole_gpus_says_what_binds() -> None:
    need = replace(
        CPU,
        pod=Resources(4000, 20 * GIB),
        gpu=Gpu(accelerator="nvidia-l4"),
        machine_type="g2-standard-24",
        max_replicas=2,
    )
    found = capacity([Run(plan("demo", group("gpu", need)))], SITE)
    gpu = found.groups[1]
    assert (gpu.slots_per_node, gpu.limit) == (2, "nvidia.com/gpu")
    assert not any("stranded" in note for note in gpu.notes)


def test_two_plans_of_the_same_runs_are_the_same() -> None:
    runs = [Run(plan(n, group("gpu", SLICE), group("cpu", CPU))) for n in "abc"]
    assert repr(capacity(runs, SITE)) == repr(capacity(runs, SITE))


@pytest.mark.parametrize("most", [8, 12])
def test_a_node_with_gke_s_own_pods_only_is_refused(most: int) -> None:
    with pytest.raises(InvalidError, match=f"max_pods_per_node {most} leaves no room"):
        capacity([Run(plan("x"))], SITE, PlatformFacts(max_pods_per_node=most))
