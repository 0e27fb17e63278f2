"""A namespace that ray-gke has made goes with the last thing in it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.kubernetes.desk import Desk

pytestmark = pytest.mark.cluster

JOB = "head: {cpu: 1, memory: 4Gi}\ncluster: {}\n"
WARM = """\
head: {cpu: 1, memory: 4Gi}
worker_groups:
- {name: a, min_replicas: 0, max_replicas: 1, cpu: 1, memory: 2Gi, warm_replicas: 1}
cluster: {}
"""
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
}


def exists(desk: Desk, namespace: str) -> bool:
    return namespace in desk.all("Namespace", "")


def test_ours_enforces_pod_security_and_goes_when_it_is_empty(
    desk: Desk, place: str
) -> None:
    desk.done("up", desk.write("demo", JOB), "-n", place)
    labels = desk.all("Namespace", "")[place]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["app.kubernetes.io/managed-by"] == "ray-gke"
    desk.done("down", "demo", "-n", place)
    assert not exists(desk, place)


def a_note(desk: Desk, namespace: str) -> None:
    desk.cluster.kubectl("create", "configmap", "notes", "-n", namespace)


def a_claim(desk: Desk, namespace: str) -> None:
    desk.cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(CLAIM))


def another_run(desk: Desk, namespace: str) -> None:
    desk.done("up", desk.write("other", JOB), "-n", namespace)


@pytest.mark.parametrize("add", [a_note, a_claim, another_run])
def test_ours_stays_while_something_else_is_in_it(
    desk: Desk, place: str, add: Callable[[Desk, str], None]
) -> None:
    desk.done("up", desk.write("demo", JOB), "-n", place)
    add(desk, place)
    desk.done("down", "demo", "-n", place)
    assert exists(desk, place)
    assert "deletionTimestamp" not in desk.all("Namespace", "")[place]["metadata"]


def test_that_of_the_user_stays(desk: Desk, namespace: str) -> None:
    desk.done("up", desk.write("demo", JOB), "-n", namespace)
    desk.done("down", "demo", "-n", namespace)
    found = desk.all("Namespace", "")[namespace]["metadata"]
    assert "deletionTimestamp" not in found
    assert "app.kubernetes.io/managed-by" not in found["labels"]


def test_one_that_is_going_is_refused(desk: Desk, namespace: str) -> None:
    hold = '{"metadata": {"finalizers": ["example.com/hold"]}}'
    desk.cluster.kubectl("create", "configmap", "notes", "-n", namespace)
    held = ("configmap", "notes", "-n", namespace, "--type=merge", "-p")
    desk.cluster.kubectl("patch", *held, hold)
    desk.cluster.kubectl("delete", "namespace", namespace, "--wait=false")
    said = desk.refused("up", desk.write("demo", JOB), "-n", namespace)
    assert f"Namespace/{namespace} is being deleted" in said
    desk.cluster.kubectl("patch", *held, hold.replace('["example.com/hold"]', "null"))


def test_runs_of_one_name_in_two_namespaces_do_not_touch_each_other(desk: Desk) -> None:
    one, other = desk.new_namespace(), desk.new_namespace()
    desk.write("demo", WARM)
    for place in (one, other):
        desk.done("up", "./demo", "-n", place)
    assert desk.changes("./demo", "-n", one) == {}
    before = desk.objects(other).keys()
    assert f"PriorityClass/{other}-demo-balloon" in before
    desk.done("down", "demo", "-n", one)
    assert desk.objects(other).keys() == before
    assert desk.changes("./demo", "-n", other) == {}
