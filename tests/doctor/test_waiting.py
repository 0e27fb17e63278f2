"""An API that has just been enabled, and that Google does not know everywhere yet."""

from __future__ import annotations

from ray_gke.targets.gke import doctor
from ray_gke.targets.gke.doctor.findings import Report
from tests.doctor.cases import with_disk
from tests.doctor.world import Patient

COMPUTE = "compute.googleapis.com"
WAITING = f"waiting, 120 s at most, until Google knows of {COMPUTE}"


def enable(patient: Patient, *, known_after: int) -> tuple[Report, list[float]]:
    """Enable Compute Engine's API, which answers after so many breaks."""
    google, slept = patient.google, list[float]()
    google.turn_off(COMPUTE)
    google.state.unknown.add(COMPUTE)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == known_after:
            google.state.unknown.clear()

    patient.sleep = sleep
    world = patient.world()
    return doctor.examine_and_enable(patient.needs(), world, lambda _: True), slept


def test_it_is_waited_for_until_it_answers(patient: Patient) -> None:
    patient.google.grant("NVIDIA_L4_GPUS", 0, region="us-central1")
    report, slept = enable(patient, known_after=3)
    assert [one.subject for one in report.refused] == ["NVIDIA_L4_GPUS us-central1"]
    assert report.warnings == ()
    assert slept == [10] * 3
    assert patient.told == [WAITING]


def test_only_what_had_no_answer_is_asked_again(patient: Patient) -> None:
    with_disk(lambda one: one.google.put("images", "global", {"name": "ray"}))(patient)
    report, _ = enable(patient, known_after=1)
    assert report.summary == "nothing is in the way"
    asked = patient.google.asked
    # Before and after, and once more: of a disk image, but not of the clusters.
    assert asked.count("GET /compute/v1/projects/my-project/global/images/ray") == 3
    assert asked.count("GET /v1/projects/my-project/locations/-/clusters") == 2


def test_at_some_time_it_is_a_warning(patient: Patient) -> None:
    report, slept = enable(patient, known_after=1000)
    assert sum(slept) == 120
    assert report.refused == ()
    assert f"the networks may not be read: {COMPUTE} is off" in {
        one.message for one in report.warnings
    }


def test_for_one_that_is_off_elsewhere_nobody_waits(patient: Patient) -> None:
    state = patient.google.state
    state.caller, state.off_elsewhere = "another-project", {COMPUTE}
    report, slept = enable(patient, known_after=1)
    assert (slept, patient.told) == ([], [])
    assert f"{COMPUTE} is off in the project another-project" in str(report.warnings)


def test_what_is_on_already_is_not_waited_for(patient: Patient) -> None:
    patient.google.state.unknown.add(COMPUTE)
    patient.sleep = lambda _: patient.google.state.unknown.clear()
    assert patient.examine().summary != "nothing is in the way"
    assert patient.told == []
