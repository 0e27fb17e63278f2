"""How far a RayJob is, in all of KubeRay's words."""

from __future__ import annotations

import pytest

from ray_gke.targets.kubernetes.inventory import Inventory, Item
from ray_gke.targets.kubernetes.job_states import has_ended, has_failed
from ray_gke.targets.kubernetes.logs import logs
from ray_gke.targets.kubernetes.resources import Ref
from tests.memory_cluster import MemoryCluster

GOES_ON = ["Initializing", "Running", "Retrying", "Suspending", "Suspended", "Waiting"]


@pytest.mark.parametrize(
    ("word", "ended", "failed"),
    [
        ("", False, False),
        *((word, False, False) for word in GOES_ON),
        ("Complete", True, False),
        ("Failed", True, True),
        ("ValidationFailed", True, True),
    ],
)
def test_which_jobs_are_over(word: str, *, ended: bool, failed: bool) -> None:
    job = {"kind": "RayJob", "status": {"jobDeploymentStatus": word}}
    assert (has_ended(job), has_failed(job)) == (ended, failed)


def test_logs_of_a_job_that_was_refused_are_not_waited_for() -> None:
    ref = Ref("RayJob", "ml", "work-a")
    known = Inventory("work", "ml", "job", "work", items=(Item(ref),))
    job = {"kind": "RayJob", "status": {"jobDeploymentStatus": "ValidationFailed"}}
    job["metadata"] = {"name": "work-a", "namespace": "ml"}
    cluster = MemoryCluster(objects={known.ref: known.manifest(), ref: job})
    assert list(logs(cluster, "ml", "work", follow=True)) == []
