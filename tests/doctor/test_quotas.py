"""What a quota says about a platform that is there already, and about Spot nodes."""

from __future__ import annotations

import pytest

from tests.doctor.cases import granting, making
from tests.doctor.world import Patient

L4 = ("quota", "NVIDIA_L4_GPUS us-central1")
SPOT_CPUS = ("quota", "PREEMPTIBLE_CPUS us-central1")
CLUSTER = making("google_container_cluster", "projects/p/locations/l/clusters/demo")


@pytest.mark.parametrize(
    ("limit", "status"), [(4, "ok"), (3, "warning"), (0, "refused")]
)
def test_what_a_platform_uses_itself_does_not_count_twice(
    limit: int, status: str, patient: Patient
) -> None:
    """Of 4 GPUs, all are used: by the platform's own nodes, for all that is known."""
    CLUSTER(patient)
    granting("NVIDIA_L4_GPUS", limit, used=limit)(patient)
    assert patient.find_one(*L4).status == status


def test_it_is_said_that_its_own_use_is_in_it(patient: Patient) -> None:
    CLUSTER(patient)
    granting("NVIDIA_L4_GPUS", 4, used=4)(patient)
    assert patient.find_one(*L4).message == (
        "4 granted in us-central1 and 4 used, also by this platform; "
        "1 needed at minimum, 4 at maximum"
    )


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
