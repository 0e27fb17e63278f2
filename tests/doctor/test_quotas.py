"""What a quota says about a platform that is there already, and about Spot nodes."""

from __future__ import annotations

import pytest

from tests.doctor.cases import granting, subnetwork
from tests.doctor.world import Patient

L4 = ("quota", "NVIDIA_L4_GPUS us-central1")
SPOT_CPUS = ("quota", "PREEMPTIBLE_CPUS us-central1")
CLUSTER = ("google_container_cluster", "projects/p/locations/l/clusters/demo")
POOLS = "projects/p/locations/l/clusters/demo/nodePools"
NETWORKS = {
    "google_compute_network": "NETWORKS",
    "google_compute_router": "ROUTERS",
    "google_compute_router_nat": "IN_USE_ADDRESSES",
    "google_compute_subnetwork": "SUBNETWORKS",
}


def up(patient: Patient, *accelerators: str | None) -> None:
    """Let the cluster be there with those of the plan's pools that have these GPUs."""
    there = [
        ("google_container_node_pool", f"{POOLS}/{pool.name}")
        for pool in patient.needs().capacity.pools
        if pool.accelerator in accelerators
    ]
    patient.made(CLUSTER, *there)


@pytest.mark.parametrize(
    ("limit", "status"), [(4, "ok"), (3, "warning"), (0, "refused")]
)
def test_what_a_platform_uses_itself_does_not_count_twice(
    limit: int, status: str, patient: Patient
) -> None:
    """Of 4 GPUs, all are used: by the platform's own nodes, for all that is known."""
    up(patient, "nvidia-l4")
    granting("NVIDIA_L4_GPUS", limit, used=limit)(patient)
    assert patient.find_one(*L4).status == status


def test_it_is_said_that_its_own_use_is_in_it(patient: Patient) -> None:
    up(patient, "nvidia-l4")
    granting("NVIDIA_L4_GPUS", 4, used=4)(patient)
    assert patient.find_one(*L4).message == (
        "4 granted in us-central1 and 4 used, also by this platform; "
        "1 needed at minimum, 4 at maximum"
    )


def test_what_none_of_its_pools_counts_against_others_use(patient: Patient) -> None:
    up(patient, None, "nvidia-tesla-t4")
    granting("NVIDIA_L4_GPUS", 8, used=8)(patient)
    granting("CPUS", 300, used=300)(patient)
    granting("PREEMPTIBLE_NVIDIA_T4_GPUS", 2, used=2)(patient)
    assert patient.find_one(*L4).status == "refused"
    assert patient.find_one("quota", "CPUS us-central1").status == "ok"
    found = patient.find_one("quota", "PREEMPTIBLE_NVIDIA_T4_GPUS us-central1")
    assert found.status == "ok"


def test_a_pool_that_the_plan_does_not_know_may_count_against_anything(
    patient: Patient,
) -> None:
    patient.made(CLUSTER, ("google_container_node_pool", f"{POOLS}/of-another-plan"))
    granting("NVIDIA_L4_GPUS", 4, used=4)(patient)
    assert patient.find_one(*L4).status == "ok"


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_that_is_made_already_needs_no_more(
    kind: str, patient: Patient
) -> None:
    metric = NETWORKS[kind]
    place = "us-central1" if metric == "IN_USE_ADDRESSES" else "global"
    region = None if place == "global" else place
    granting(metric, 5, used=5, region=region)(patient)
    assert patient.find_one("quota", f"{metric} {place}").status == "refused"
    patient.made((kind, "projects/p/somewhere/demo"))
    assert patient.find_one("quota", f"{metric} {place}").status == "ok"


def test_a_network_that_is_there_counts_against_nothing(patient: Patient) -> None:
    subnetwork()(patient)
    subjects = {one.subject for one in patient.examine().findings}
    assert "CPUS us-central1" in subjects
    assert not [one for one in subjects if one.split()[0] in NETWORKS.values()]


def test_where_the_state_cannot_tell_its_cluster_may_be_there(patient: Patient) -> None:
    granting("NVIDIA_L4_GPUS", 4, used=4)(patient)
    assert patient.find_one(*L4).status == "refused"
    patient.apply_was_interrupted()
    assert patient.find_one(*L4).status == "ok"


@pytest.mark.parametrize(
    ("limit", "status"), [(288, "ok"), (287, "warning"), (271, "refused")]
)
def test_spot_nodes_without_a_quota_of_their_own_count_against_the_standard_one(
    limit: int, status: str, patient: Patient
) -> None:
    """272 to 284 CPUs on demand, and a Spot node of 4 at maximum."""
    granting("PREEMPTIBLE_CPUS", 0)(patient)
    granting("CPUS", limit)(patient)
    found = patient.find_one(*SPOT_CPUS)
    assert found.status == status
    assert "count against CPUS" in found.message
