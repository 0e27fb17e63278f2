"""`up` of one run and of several, on a cluster in memory."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pytest

from ray_gke.catalog.blueprint import Cluster, Job
from ray_gke.errors import FailedError, RayGkeError
from ray_gke.events import Event, Finished, Ready
from ray_gke.targets.kubernetes import lease, up
from ray_gke.targets.kubernetes.apply import Application
from ray_gke.targets.kubernetes.changes import compare
from ray_gke.targets.kubernetes.live import Wanted, read
from ray_gke.targets.kubernetes.readiness import Readiness
from ray_gke.targets.kubernetes.resources import Ref
from tests.local.conftest import plan
from tests.memory_cluster import MemoryCluster

STARTING = {"state": "", "conditions": [{"type": "HeadPodReady", "status": "False"}]}
REFUSED = {"jobDeploymentStatus": "ValidationFailed", "reason": "ValidationFailed"}


def manifest(kind: str, name: str, run: str, **content: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "ray-gke", "ray-gke/run": run}
    metadata = {"name": name, "namespace": "ml", "labels": labels}
    version = "v1" if kind == "ConfigMap" else "ray.io/v1"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


def cluster_run(name: str, *files: str) -> Wanted:
    objects = [manifest("ConfigMap", one, name, data={}) for one in files]
    ray = manifest("RayCluster", name, name, spec={"workerGroupSpecs": []})
    return Wanted(plan(Cluster(), name=name), "ml", (*objects, ray))


def job_run(name: str, content: str = "a") -> Wanted:
    ray = manifest("RayJob", f"{name}-{content}", name, spec={"content": content})
    return Wanted(plan(Job(entrypoint="x"), name=name), "ml", (ray,))


def brought_up(cluster: MemoryCluster, *wanted: Wanted, **options: Any) -> list[Event]:
    told: list[Event] = []
    up.up(cluster, wanted, told.append, up.Options(**options))
    return told


def files_of(cluster: MemoryCluster) -> set[str]:
    return {
        ref.name
        for ref in cluster.objects
        if ref.kind == "ConfigMap" and not ref.name.startswith("ray-gke-")
    }


def test_runs_that_are_ready_are_rid_of_what_is_gone() -> None:
    cluster = MemoryCluster()
    brought_up(cluster, cluster_run("a", "old-a", "new-a"), cluster_run("b", "old-b"))
    assert files_of(cluster) == {"old-a", "new-a", "old-b"}
    brought_up(cluster, cluster_run("a", "new-a"), cluster_run("b"))
    assert files_of(cluster) == {"new-a"}


def test_what_is_as_it_was_is_not_even_locked() -> None:
    cluster = MemoryCluster()
    runs = cluster_run("a", "z", "a"), cluster_run("b")
    brought_up(cluster, *runs)
    cluster.written.clear()
    told = brought_up(cluster, *runs)
    assert cluster.written == []
    assert [one.name for one in told if isinstance(one, Ready)] == ["a", "b"]


def test_what_cannot_be_removed_fails_its_run_only() -> None:
    class Locked(MemoryCluster):
        def delete(self, ref: Ref, **how: Any) -> None:
            if ref.name == "old-a":
                raise FailedError("old-a is locked")
            super().delete(ref, **how)

    cluster = Locked()
    brought_up(cluster, cluster_run("a", "old-a"), cluster_run("b", "old-b"))
    with pytest.raises(FailedError) as raised:
        brought_up(cluster, cluster_run("a"), cluster_run("b"))
    assert [one.message for one in raised.value.problems] == ["old-a is locked"]
    assert files_of(cluster) == {"old-a"}


def waited(
    cluster: MemoryCluster,
    *runs: Wanted,
    seconds: float,
    failed: Callable[[RayGkeError], None],
) -> list[str]:
    """Wait for runs that are there, by an API whose time is up; return the ready."""
    found = compare(cluster, runs, read(cluster, runs))
    done = [Application(cluster, one, lambda: None) for one in found]
    now = time.monotonic()
    late = dataclasses.replace(cluster, until=now - 1)
    wait = Readiness(late, lambda _: None, "2 runs", now, now + seconds, failed)
    return [one.run.wanted.name for one in wait.of(done)]


def test_at_the_deadline_who_is_ready_is_told_so() -> None:
    cluster = MemoryCluster()
    cluster.operator.status["slow"] = STARTING
    runs = cluster_run("slow"), cluster_run("good")
    brought_up(cluster, *runs, detach=True, timeout=0.0)
    errors: list[RayGkeError] = []
    ready = waited(cluster, *runs, seconds=-1.0, failed=errors.append)
    assert ready == ["good"]
    assert [str(error) for error in errors] == ["slow is not ready after 0 s"]


def test_what_is_certain_is_told_while_another_run_is_waited_for() -> None:
    cluster = MemoryCluster()
    cluster.operator.status |= {"slow": STARTING, "work-a": REFUSED}
    runs = cluster_run("slow"), job_run("work")
    with pytest.raises(FailedError, match="RayJob/work-a is refused"):
        brought_up(cluster, *runs, detach=True, timeout=0.0)
    errors: list[str] = []

    def told(error: RayGkeError) -> None:
        errors.append(str(error))
        cluster.operator.status.clear()
        cluster.apply(runs[0].objects[0])

    assert waited(cluster, *runs, seconds=60.0, failed=told) == ["slow"]
    assert len(errors) == 1
    assert "RayJob/work-a is refused" in errors[0]


@pytest.mark.usefixtures("no_patience")
def test_who_detaches_does_not_wait() -> None:
    cluster = MemoryCluster()
    brought_up(cluster, cluster_run("a", "old"))
    cluster.operator.status["a"] = STARTING
    changed = cluster_run("a", "new")
    changed.objects[-1]["spec"]["other"] = True
    *_, last = brought_up(cluster, changed, detach=True, confirm=lambda _: True)
    assert isinstance(last, Finished)
    assert (last.name, last.status) == ("a", "APPLIED")
    # What ran before may still read it.
    assert files_of(cluster) == {"old", "new"}
    cluster.operator.status.clear()
    cluster.apply(changed.objects[-1])
    *_, last = brought_up(cluster, changed, detach=True)
    assert isinstance(last, Ready)
    assert files_of(cluster) == {"new"}


@pytest.mark.usefixtures("no_patience")
def test_who_detaches_hears_what_will_not_become_ready() -> None:
    cluster = MemoryCluster()
    cluster.operator.status["work-a"] = REFUSED
    with pytest.raises(FailedError, match="RayJob/work-a is refused"):
        brought_up(cluster, job_run("work"), detach=True)


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "_BEGIN_SECONDS", 0.0)


def test_a_job_that_was_refused_has_ended() -> None:
    cluster = MemoryCluster()
    cluster.operator.status["work-a"] = REFUSED
    with pytest.raises(FailedError):
        brought_up(cluster, job_run("work"))
    (again,) = up.changes(cluster, [job_run("work")], rerun=True)
    assert [(one.action, one.ends) for one in again.changes if one.writes] == [
        ("replace", False)
    ]
    (other,) = up.changes(cluster, [job_run("work", "b")])
    assert [(one.action, one.ends) for one in other.changes if one.writes] == [
        ("create", False),
        ("prune", False),
    ]


def test_a_run_renews_its_own_lock_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_FRESH_SECONDS", -1.0)
    cluster = MemoryCluster()
    many = [f"file-{number}" for number in range(30)]
    brought_up(cluster, cluster_run("many", *many), cluster_run("few"))
    renewals = {
        name: cluster.written.count(f"replace Lease/ray-gke-{name}")
        for name in ("many", "few")
    }
    assert renewals["many"] > len(many)
    assert 0 < renewals["few"] < len(many) / 2
