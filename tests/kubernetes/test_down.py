"""`down`: in which order, what it waits for, and what it leaves alone."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ray_gke.errors import FailedError
from ray_gke.targets.kubernetes import removal
from ray_gke.targets.kubernetes.resources import Ref
from tests.kubernetes import desk as desks
from tests.kubernetes.desk import Desk

pytestmark = pytest.mark.cluster

Object = dict[str, Any]

WARM = """\
head: {cpu: 1, memory: 4Gi}
worker_groups:
- {name: small, min_replicas: 1, max_replicas: 3, cpu: 1, memory: 2Gi, warm_replicas: 1}
service: {serve_config: serve.yaml}
"""
FILES = {"serve.yaml": desks.NO_ANSWER, "app.py": "app = 1\n"}
HOLD = '{"metadata": {"finalizers": ["example.com/hold"]}}'
LET_GO = '{"metadata": {"finalizers": null}}'


@pytest.fixture
def up(desk: Desk, namespace: str) -> str:
    """The namespace of a run with objects of all kinds; the namespace is the user's."""
    desk.done("up", desk.write("demo", WARM, FILES), "-n", namespace)
    return namespace


def ours(desk: Desk, namespace: str) -> set[str]:
    """All objects that carry the label of the run, pods and leases included."""
    kinds = "pods,rayclusters,rayservices,configmaps,serviceaccounts,deployments"
    found = desk.cluster.kubectl(
        *("get", f"{kinds},replicasets,services,secrets,roles,rolebindings,leases"),
        *("-n", namespace, "-l", "ray-gke/run=demo", "-o", "name"),
    )
    ranks = desk.all("PriorityClass", "")
    return set(found.split()) | {n for n in ranks if n.startswith(f"{namespace}-demo")}


def deletions(desk: Desk, namespace: str) -> list[str]:
    """The kinds that ray-gke has deleted, in their order."""
    lines = desk.cluster.control_plane.audit_log.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    refs = [
        event["objectRef"]
        for event in events
        if event["verb"] == "delete"
        and event.get("userAgent", "").startswith("ray-gke/")
    ]
    return [
        ref["resource"]
        for ref in refs
        if ref.get("namespace") == namespace or ref["name"].startswith(namespace)
    ]


def test_it_removes_all_of_a_run_in_order_and_nothing_else(desk: Desk, up: str) -> None:
    desk.done("up", desk.write("other", WARM, FILES), "-n", up)
    desk.cluster.kubectl("create", "configmap", "notes", "-n", up)
    before = desk.written(up)
    desk.done("down", "demo", "-n", up)
    assert not ours(desk, up)
    after = desk.written(up)
    rest = {"Deployment/other-small-balloon", "RayService/other", "ConfigMap/notes"}
    assert rest <= after.keys()
    steady = {key: v for key, v in after.items() if not key.startswith("Deployment/")}
    steady = {key: v for key, v in steady.items() if not key.startswith("RayService/")}
    assert steady.items() <= before.items()
    order = deletions(desk, up)
    assert order[0] == "rayservices"
    assert set(order[1:]) == {
        *("deployments", "configmaps", "serviceaccounts", "priorityclasses"),
        *("networkpolicies", "podmonitorings", "rules"),
    }


def test_pods_are_gone_before_what_they_read(desk: Desk, up: str) -> None:
    (worker,) = (p for p in desk.all("Pod", up) if "small-worker" in p)
    held = ("pod", worker, "-n", up, "--type=merge", "-p")
    desk.cluster.kubectl("patch", *held, HOLD)
    seen: list[set[str]] = []

    def let_go() -> None:
        pods = {"ray.io/node-type"}
        while any(
            pods <= pod["metadata"]["labels"].keys() and name != worker
            for name, pod in desk.all("Pod", up).items()
        ):
            time.sleep(0.1)
        seen.append(desk.written(up).keys() - {"RayService/demo"})
        desk.cluster.kubectl("patch", *held, LET_GO)

    read = {
        key
        for key in desk.written(up)
        if key.startswith(("ConfigMap/", "ServiceAccount/", "Deployment/"))
    }
    with ThreadPoolExecutor(1) as thread:
        observed = thread.submit(let_go)
        desk.done("down", "demo", "-n", up)
        observed.result()
    assert read <= seen[0]
    assert not ours(desk, up)


def test_a_finalizer_that_stays_is_named(
    desk: Desk, up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = ("rayservice", "demo", "-n", up, "--type=merge", "-p")
    desk.cluster.kubectl("patch", *held, HOLD)
    waiting: Any = removal.wait_until_gone.__defaults__
    monkeypatch.setattr(removal.wait_until_gone, "__defaults__", (2.0, *waiting[1:]))
    answer = desk.run("down", "demo", "-n", up)
    assert answer.code == 1
    assert "RayService/demo" in answer.err
    assert "it waits for example.com/hold" in answer.err.replace("\n", " ")
    assert "ServiceAccount/demo" in desk.objects(up)
    desk.cluster.kubectl("patch", *held, LET_GO)
    desk.done("down", "demo", "-n", up)
    assert not ours(desk, up)


@pytest.mark.parametrize("damage", ["missing", "unreadable", "without labels"])
def test_without_the_inventory_everything_is_found_by_its_labels(
    desk: Desk, up: str, damage: str
) -> None:
    kept = ("configmap", "ray-gke-demo", "-n", up)
    if damage == "missing":
        desk.cluster.kubectl("delete", *kept)
    elif damage == "unreadable":
        text = '{"data": {"objects": "[{"}}'
        desk.cluster.kubectl("patch", *kept, "--type=merge", "-p", text)
    else:
        desk.cluster.kubectl("label", *kept, "ray-gke/inventory-")
    desk.done("down", "demo", "-n", up)
    assert not ours(desk, up)


def test_a_run_that_is_not_there_is_a_usage_error_with_the_nearest_name(
    desk: Desk, up: str
) -> None:
    answer = desk.run("down", "dmo", "-n", up)
    assert answer.code == 2
    assert f"there is no run 'dmo' in namespace {up}" in answer.err
    assert "did you mean demo?" in answer.err
    desk.done("down", "demo", "-n", up)
    again = desk.run("down", "demo", "-n", up)
    assert (again.code, "ray-gke status" in again.err) == (2, True)


def test_what_holds_an_object_is_told(desk: Desk, up: str) -> None:
    with desk.seated():
        from ray_gke.targets.kubernetes.api import Api

        ref = Ref("RayService", up, "demo")
        uid = desk.all("RayService", up)["demo"]["metadata"]["uid"]
        with pytest.raises(
            FailedError, match="not gone after 0 s: it waits for its pods"
        ):
            removal.wait_until_gone(Api.of(None), ref, uid, 0)
