from __future__ import annotations

from dataclasses import replace

import pytest

from ray_gke.errors import InvalidError, Place
from ray_gke.planning.capacity import Capacity
from ray_gke.planning.need import Need
from ray_gke.planning.pools import capacity
from ray_gke.planning.runs import PlatformFacts, Run
from tests.pool_plans import SHARE, SITE, SLICE, group, plan


def planned(need: Need, platform: PlatformFacts | None = None) -> Capacity:
    return capacity([Run(plan("demo", group("gpu", need)))], SITE, platform)


def amounts(found: Capacity) -> dict[str, tuple[int, int]]:
    return {q.metric: (q.at_minimum, q.at_maximum) for q in found.quotas}


def test_each_metric_is_zones_and_nodes_times_what_a_node_takes() -> None:
    # Three system nodes and the head's of 4 CPUs; 1 to 2 nodes of 16 CPUs and a T4.
    assert amounts(planned(SHARE)) == {
        "IN_USE_ADDRESSES": (1, 1),
        "CPUS": (4 * 4 + 16, 4 * 4 + 32),
        "CPUS_ALL_REGIONS": (4 * 4 + 16, 4 * 4 + 32),
        "GPUS_ALL_REGIONS": (1, 2),
        "NVIDIA_T4_GPUS": (1, 2),
        "SSD_TOTAL_GB": (500, 600),
    }


def test_how_it_is_counted_is_said() -> None:
    counted = {q.metric: q.counted for q in planned(SHARE).quotas}
    assert counted["NVIDIA_T4_GPUS"] == "2 nodes x 1 GPU"
    assert counted["CPUS"] == (
        "3 zones x 1 node x 4 CPUs + 1 node x 4 CPUs + 2 nodes x 16 CPUs"
    )


def test_spot_takes_the_preemptible_quotas_and_a2_its_own_cpus() -> None:
    spot = amounts(planned(replace(SLICE, provisioning=("spot",))))
    assert spot["PREEMPTIBLE_NVIDIA_A100_GPUS"] == (1, 1)
    assert spot["PREEMPTIBLE_CPUS"] == (12, 12)
    assert "NVIDIA_A100_GPUS" not in spot
    on_demand = amounts(planned(SLICE))
    assert on_demand["NVIDIA_A100_GPUS"] == (1, 1)
    assert on_demand["A2_CPUS"] == (12, 12)


def test_global_quotas_have_no_region_and_come_last() -> None:
    regions = [quota.region for quota in planned(SHARE).quotas]
    assert regions == sorted(regions, key=lambda region: region is None)
    assert {r for r in regions if r} == {"us-central1"}
    assert regions.count(None) == 2


def test_only_cloud_nat_takes_an_external_address() -> None:
    assert amounts(planned(SHARE))["IN_USE_ADDRESSES"] == (1, 1)


def test_addresses_of_nodes_pods_and_services() -> None:
    platform = PlatformFacts(
        nodes_range="10.0.0.0/28",
        pods_range="10.1.0.0/16",
        services_range="10.2.0.0/24",
    )
    found = planned(SHARE, platform).address_ranges
    # 5 to 6 nodes: four addresses are Google's own, 256 for the pods of each node.
    assert [(r.purpose, r.size, r.at_minimum, r.at_maximum) for r in found] == [
        ("nodes", 16, 9, 10),
        ("pods", 65536, 1280, 1536),
        ("services", 256, 3, 3),
    ]


@pytest.mark.parametrize(("most", "block"), [(110, 256), (64, 128), (32, 64)])
def test_a_node_takes_twice_its_pods_in_addresses(most: int, block: int) -> None:
    found = planned(SHARE, PlatformFacts(max_pods_per_node=most)).address_ranges
    assert found[1].at_minimum == 5 * block
    assert found[1].range is None
    assert found[1].size is None


def test_a_range_that_holds_the_minimum_only_is_a_warning() -> None:
    many = replace(SHARE, max_replicas=80)
    found = planned(many, PlatformFacts(nodes_range="10.0.0.0/28"))
    (warning,) = (w for w in found.warnings if "10.0.0.0/28" in w)
    # 3 system nodes, the head's, 20 for 80 workers, and 4 addresses of Google's.
    assert "28 are needed at maximum" in warning
    assert "/27" in warning


def test_a_range_that_is_too_small_is_refused_at_its_place() -> None:
    place = Place("ray-gke.yaml", 9, 5, "pods")
    platform = PlatformFacts(pods_range="10.0.0.0/22", places={"pods_range": place})
    with pytest.raises(InvalidError) as caught:
        planned(SHARE, platform)
    (problem,) = caught.value.problems
    assert problem.place == place
    assert "1280" in problem.message
    assert problem.hint == "use a range of /21 or larger"
