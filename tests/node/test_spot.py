"""A training job outlives the loss of a Spot worker."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cluster.bed import Bed
from tests.cluster.object_store import ObjectStore
from tests.cluster.processes import eventually
from tests.cluster.real_node import RealNode
from tests.node import blueprint_tests
from tests.node.command_line import PATIENCE, CommandLine

pytestmark = pytest.mark.node

SPOT_GRACE = "--grace-period=15"
"""What GKE leaves to the pods of a Spot node that it takes back."""


def workers(cluster: Bed, namespace: str) -> Iterator[str]:
    """Yield the names of the workers that stay."""
    chosen = ("-l", "ray.io/node-type=worker", "-o", "json")
    found = json.loads(cluster.kubectl("get", "pods", "-n", namespace, *chosen))
    for pod in found["items"]:
        if "deletionTimestamp" not in pod["metadata"]:
            yield pod["metadata"]["name"]


def told_by_ray(cluster: Bed, namespace: str, pattern: str) -> str:
    """Return the lines of the head's log of nodes in which `pattern` is found."""
    chosen = ("-l", "ray.io/node-type=head", "-o", "name")
    head = cluster.kubectl("get", "pods", "-n", namespace, *chosen).strip()
    log = "/tmp/ray/session_latest/logs/gcs_server.out"
    inside = ("exec", "-n", namespace, head, "-c", "ray-head", "--")
    return cluster.kubectl(*inside, "grep", "-i", pattern, log)


def test_training_goes_on_when_a_worker_is_taken_back(
    here: CommandLine, real_cluster: Bed, spot_node: RealNode, object_store: ObjectStore
) -> None:
    own = blueprint_tests.of("train-xgboost")
    buckets = object_store.bucket("runs").parent
    uri = object_store.uri("runs/training")
    options = ["rounds=800", "checkpoint_every=20", f"storage_path={uri}"]
    sets = [word for option in options for word in ("--set", option)]
    job = here.start("up", "train-xgboost", *sets)
    job.wait_for("round 60:", timeout=PATIENCE)
    before = set(workers(real_cluster, here.namespace))
    assert len(before) == 2
    taken = min(before)
    away = ("delete", "pod", taken, SPOT_GRACE, "--wait=false")
    real_cluster.kubectl("-n", here.namespace, *away)

    def replaced() -> bool:
        now = set(workers(real_cluster, here.namespace))
        return len(now) == 2 and taken not in now

    eventually("KubeRay to make another worker", replaced)
    job.wait_for("resumed from round", timeout=PATIENCE)
    assert told_by_ray(real_cluster, here.namespace, "preempt")
    done = job.result(PATIENCE)
    assert done.exit_code == 0, done.stderr
    assert "SUCCEEDED" in done.stderr
    model = buckets / own.found(r"\nmodel: (.*)", done.stdout)
    own.resumed_and_trained_all_rounds(model, done.stdout)
