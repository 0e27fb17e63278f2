"""Changes of what is up: `up` does what `plan` shows, and asks before it ends a run."""

from __future__ import annotations

import pytest

from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.cluster.ray_stand_in import JobCourse, ServeCourse
from tests.kubernetes import desk as desks
from tests.kubernetes.desk import Desk

pytestmark = pytest.mark.cluster

CLUSTER = """\
head: {cpu: 1, memory: 4Gi}
worker_groups:
- {name: small, min_replicas: 1, max_replicas: 3, cpu: 1, memory: 2Gi}
cluster: {}
"""
WARM = CLUSTER.replace("cpu: 1, memory: 2Gi", "cpu: 1, memory: 2Gi, warm_replicas: 1")
JOB = "head: {cpu: 1, memory: 4Gi}\njob: {entrypoint: python go.py}\n"
SERVICE = "head: {cpu: 1, memory: 4Gi}\nservice: {serve_config: serve.yaml}\n"
FILES = {"serve.yaml": desks.NO_ANSWER, "app.py": "app = 1\n"}
GO = {"go.py": "1\n"}
NEVER = 1e9


def test_a_second_up_writes_nothing(desk: Desk, place: str) -> None:
    desk.write("demo", WARM)
    assert set(desk.changes("./demo", "-n", place)) == {
        f"Namespace/{place}",
        "ServiceAccount/demo",
        "NetworkPolicy/demo",
        "NetworkPolicy/demo.head",
        "ConfigMap/demo-fluent-bit",
        "PodMonitoring/demo",
        "Rules/demo",
        f"PriorityClass/{place}-demo-balloon",
        "RayCluster/demo",
        "Deployment/demo-small-balloon",
    }
    desk.done("up", "./demo", "-n", place)
    before = desk.cluster.control_plane.audit_log.stat().st_size
    assert desk.changes("./demo", "-n", place) == {}
    desk.done("up", "./demo", "-n", place)
    with desk.cluster.control_plane.audit_log.open() as log:
        log.seek(before)
        ours = [line for line in log if f'"namespace":"{place}"' in line]
    assert [
        line for line in ours if '"manager":"ray-gke"' in line or "ray-gke/" in line
    ] == []


def test_a_job_takes_its_rules_of_the_whole_cluster_along(
    desk: Desk, place: str
) -> None:
    rules = f"ClusterRules/{place}.demo"
    without = f"metrics: {{alerts: false}}\n{JOB}"
    for word, spec, there in (
        ("up", JOB, True),
        ("up", without, False),
        ("up", JOB, True),
        ("down", JOB, False),
    ):
        folder = desk.write("demo", spec, GO)
        desk.done(word, "demo" if word == "down" else folder, "-n", place)
        assert (rules in desk.objects(place)) == there


def test_detailed_exitcode_tells_of_changes(desk: Desk, place: str) -> None:
    asked = ("plan", desk.write("demo", JOB, GO), "-n", place, "--detailed-exitcode")
    assert desk.run(*asked).code == 5
    desk.done("up", "./demo", "-n", place)
    assert desk.run(*asked).code == 0


def test_a_cluster_is_made_anew_only_when_somebody_agrees(
    desk: Desk, place: str
) -> None:
    desk.done("up", desk.write("demo", CLUSTER), "-n", place)
    desk.write("demo", "env: {A: b}\n" + CLUSTER)
    before = desk.written(place)
    refused = desk.refused("up", "./demo", "-n", place)
    assert (
        f"this would end what runs now: RayCluster/demo in namespace {place}" in refused
    )
    assert "--yes" in refused
    assert desk.written(place) == before
    desk.done("up", "./demo", "-n", place, "--yes")
    after = desk.objects(place)
    (group,) = after["RayCluster/demo"]["spec"]["workerGroupSpecs"]
    env = group["template"]["spec"]["containers"][0]["env"]
    assert {"name": "A", "value": "b"} in env
    assert desk.changes("./demo", "-n", place) == {}


def test_a_job_that_runs_is_ended_only_when_somebody_agrees(
    desk: Desk, place: str
) -> None:
    assert desk.cluster.stand_in
    desk.cluster.stand_in.jobs[place] = JobCourse(seconds=NEVER)
    desk.done("up", desk.write("demo", JOB, GO), "-n", place, "--detach")
    (old,) = desk.all("RayJob", place)
    desk.write("demo", JOB, {"go.py": "2\n"})
    changes = desk.changes("./demo", "-n", place)
    assert (
        changes[f"RayJob/{old}"]["action"],
        changes[f"RayJob/{old}"]["ends_what_runs"],
    ) == (
        "prune",
        True,
    )
    before = desk.written(place)
    assert f"RayJob/{old}" in desk.refused("up", "./demo", "-n", place, "--detach")
    assert desk.written(place) == before
    desk.cluster.stand_in.jobs[place] = JobCourse()
    desk.done("up", "./demo", "-n", place, "--yes")
    (new,) = desk.all("RayJob", place)
    assert new != old


def test_a_finished_job_is_replaced_with_its_files_or_run_again(
    desk: Desk, place: str
) -> None:
    desk.done("up", desk.write("demo", JOB, GO), "-n", place)
    first = desk.objects(place)
    shown = desk.done("up", "./demo", "-n", place)
    assert "SUCCEEDED" in shown.out + shown.err
    assert desk.written(place) == written(first)
    desk.done("up", "./demo", "-n", place, "--rerun")
    again = desk.objects(place)
    (job,) = (key for key in again if key.startswith("RayJob/"))
    assert again[job]["metadata"]["uid"] != first[job]["metadata"]["uid"]
    desk.write("demo", JOB, {"go.py": "2\n"})
    gone = {
        k
        for k, c in desk.changes("./demo", "-n", place).items()
        if c["action"] == "prune"
    }
    assert gone == {
        key for key in again if key.startswith(("RayJob/", "ConfigMap/demo-files"))
    }
    desk.done("up", "./demo", "-n", place)
    assert not gone & desk.objects(place).keys()
    assert len(desk.objects(place)) == len(again)


def written(objects: dict[str, desks.Object]) -> dict[str, str]:
    return {
        key: f"{one['metadata']['uid']} {one['metadata']['resourceVersion']}"
        for key, one in objects.items()
    }


def test_files_that_are_gone_stay_until_the_new_cluster_serves(
    desk: Desk, place: str
) -> None:
    assert desk.cluster.stand_in
    desk.done("up", desk.write("demo", SERVICE, FILES), "-n", place)
    (old,) = files(desk, place)
    serving = active(desk, place)
    desk.write("demo", SERVICE, {**FILES, "app.py": "app = 2\n"})
    desk.cluster.stand_in.services[place] = ServeCourse(seconds=NEVER)
    late = desk.run("up", "./demo", "-n", place, "--timeout", "10s")
    assert late.code == 1, late.err
    assert active(desk, place) == serving
    assert old in files(desk, place)
    assert len(files(desk, place)) == 2
    desk.cluster.stand_in.services[place] = ServeCourse()
    desk.done("up", "./demo", "-n", place)
    assert active(desk, place) != serving
    # The old cluster is there for a minute more, and its files go with it.
    (owner,) = desk.all("ConfigMap", place)[old]["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("RayCluster", serving)
    assert len(files(desk, place)) == 2
    assert desk.changes("./demo", "-n", place) == {}


def files(desk: Desk, namespace: str) -> set[str]:
    return {n for n in desk.all("ConfigMap", namespace) if n.startswith("demo-files")}


def active(desk: Desk, namespace: str) -> str:
    (service,) = desk.all("RayService", namespace).values()
    return str(service["status"]["activeServiceStatus"]["rayClusterName"])


def test_warm_places_that_are_gone_are_removed_and_nothing_else(
    desk: Desk, place: str
) -> None:
    desk.done("up", desk.write("demo", WARM), "-n", place)
    desk.done("up", desk.write("other", WARM), "-n", place)
    desk.apply(somebody_s(place))
    before = desk.written(place)
    desk.write("demo", CLUSTER)
    balloon = {f"PriorityClass/{place}-demo-balloon", "Deployment/demo-small-balloon"}
    assert desk.changes("./demo", "-n", place).keys() == balloon
    desk.done("up", "./demo", "-n", place)
    after = desk.written(place)
    kept = before.keys() - balloon - {"ConfigMap/ray-gke-demo"}
    assert after.keys() == kept | {"ConfigMap/ray-gke-demo"}
    steady = {key for key in kept if not key.startswith("Deployment/")}
    assert {key: after[key] for key in steady} == {key: before[key] for key in steady}


def test_what_is_gone_is_found_without_the_inventory(desk: Desk, place: str) -> None:
    desk.done("up", desk.write("demo", WARM), "-n", place)
    text = '{"data": {"objects": "[{"}}'
    kept = ("configmap", "ray-gke-demo", "-n", place, "--type=merge", "-p", text)
    desk.cluster.kubectl("patch", *kept)
    desk.write("demo", CLUSTER)
    balloon = {f"PriorityClass/{place}-demo-balloon", "Deployment/demo-small-balloon"}
    assert desk.changes("./demo", "-n", place).keys() == balloon
    desk.done("up", "./demo", "-n", place)
    assert not balloon & desk.objects(place).keys()


def somebody_s(namespace: str) -> desks.Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "notes", "namespace": namespace},
        "data": {"a": "b"},
    }


def test_another_kind_of_the_same_name_takes_the_place_of_the_old_one(
    desk: Desk, place: str
) -> None:
    desk.done("up", desk.write("demo", CLUSTER), "-n", place)
    desk.write("demo", SERVICE, FILES)
    assert "RayCluster/demo" in desk.refused("up", "./demo", "-n", place)
    desk.done("up", "./demo", "-n", place, "--yes")
    found = desk.objects(place)
    assert "RayCluster/demo" not in found
    assert "RayService/demo" in found
    before = files(desk, place)
    desk.write("demo", JOB, GO)
    desk.done("up", "./demo", "-n", place, "--yes")
    assert not desk.all("RayService", place)
    assert not before & files(desk, place)


def test_workers_that_the_autoscaler_asked_for_stay(
    cluster: Bed, desk: Desk, place: str
) -> None:
    desk.done("up", desk.write("demo", CLUSTER), "-n", place)
    patch = (
        '[{"op": "replace", "path": "/spec/workerGroupSpecs/0/replicas", "value": 3}]'
    )
    autoscaler = ("--type=json", "--field-manager=python-requests", "-p", patch)
    cluster.kubectl("patch", "raycluster", "demo", "-n", place, *autoscaler)
    eventually("three workers", lambda: workers(desk, place) == 3)
    assert desk.changes("./demo", "-n", place) == {}
    desk.done("up", "./demo", "-n", place)
    desk.write("demo", CLUSTER.replace("max_replicas: 3", "max_replicas: 4"))
    (change,) = desk.changes("./demo", "-n", place).values()
    assert change["fields"] == ["spec.workerGroupSpecs[0].maxReplicas"]
    desk.done("up", "./demo", "-n", place)
    (group,) = desk.all("RayCluster", place)["demo"]["spec"]["workerGroupSpecs"]
    assert (group["replicas"], group["maxReplicas"]) == (3, 4)
    assert workers(desk, place) == 3


def workers(desk: Desk, namespace: str) -> int:
    pods = desk.all("Pod", namespace).values()
    return sum(pod["metadata"]["labels"]["ray.io/group"] == "small" for pod in pods)
