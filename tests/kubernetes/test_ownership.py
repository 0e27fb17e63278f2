"""What belongs to somebody else: it is refused with the owner's name, or left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.kubernetes.desk import Desk

pytestmark = pytest.mark.cluster

Object = dict[str, Any]

CLUSTER = """\
head: {cpu: 1, memory: 4Gi}
worker_groups:
- {name: small, min_replicas: 1, max_replicas: 3, cpu: 1, memory: 2Gi}
cluster: {}
"""
OTHER_RUN = {"app.kubernetes.io/managed-by": "ray-gke", "ray-gke/run": "another"}
HELM = {"app.kubernetes.io/managed-by": "Helm"}


def account(namespace: str, **metadata: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "demo", "namespace": namespace, **metadata},
        # Of an empty object the API server does not note who made it.
        "imagePullSecrets": [{"name": "theirs"}],
    }


def owned(desk: Desk, namespace: str) -> Object:
    """An object that goes with another one, which looks like ours."""
    boss = desk.all("ServiceAccount", namespace)["default"]["metadata"]
    reference = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "name": "default",
        "uid": boss["uid"],
    }
    ours = {**OTHER_RUN, "ray-gke/run": "demo"}
    return account(namespace, labels=ours, ownerReferences=[reference])


@pytest.mark.parametrize(
    ("one", "manager", "owner"),
    [
        (lambda _, n: account(n), "kubectl", "kubectl"),
        (lambda _, n: account(n, labels=HELM), "helm", "Helm, helm"),
        (lambda _, n: account(n, labels=OTHER_RUN), "ray-gke", "the run another"),
        (owned, "ray-gke", "ServiceAccount default"),
    ],
    ids=["kubectl", "helm", "another run", "another object"],
)
def test_an_object_of_somebody_else_is_refused(
    desk: Desk,
    namespace: str,
    one: Callable[[Desk, str], Object],
    manager: str,
    owner: str,
) -> None:
    desk.apply(one(desk, namespace), manager=manager)
    before = desk.written(namespace)
    desk.write("demo", CLUSTER)
    for command in ("plan", "up"):
        said = desk.refused(command, "./demo", "-n", namespace)
        assert f"ServiceAccount/demo in namespace {namespace} is there" in said
        assert f"belongs to {owner}" in said
        assert "--name" in said
    assert desk.written(namespace) == before


def test_an_inventory_of_somebody_else_is_refused(desk: Desk, namespace: str) -> None:
    name = ("ray-gke-demo", "-n", namespace, "--from-literal=a=b")
    desk.cluster.kubectl("create", "configmap", *name)
    said = desk.refused("up", desk.write("demo", CLUSTER), "-n", namespace)
    assert "ConfigMap/ray-gke-demo" in said
    assert "belongs to kubectl-create" in said


IMAGE = '[{"op": "replace", "path": "/spec/headGroupSpec/template/spec/containers/0/image", "value": "theirs"}]'  # noqa: E501
MOST = '[{"op": "replace", "path": "/spec/workerGroupSpecs/0/maxReplicas", "value": 9}]'


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        (IMAGE, "spec.headGroupSpec.template.spec.containers"),
        (MOST, "spec.workerGroupSpecs"),
    ],
    ids=["image", "workers"],
)
def test_a_field_of_ours_that_somebody_else_changed_is_refused(
    desk: Desk, place: str, patch: str, field: str
) -> None:
    desk.done("up", desk.write("demo", CLUSTER), "-n", place)
    edit = ("--type=json", "--field-manager=kubectl-edit", "-p", patch)
    desk.cluster.kubectl("patch", "raycluster", "demo", "-n", place, *edit)
    before = desk.written(place)
    desk.write("demo", "env: {A: b}\n" + CLUSTER)
    for command in (("plan",), ("up", "--yes")):
        said = desk.refused(*command, "./demo", "-n", place)
        assert f"RayCluster/demo in namespace {place}: {field}" in said
        assert 'belongs to "kubectl-edit"' in said
    assert desk.written(place) == before


def test_what_others_add_stays_and_is_no_change(desk: Desk, place: str) -> None:
    desk.done("up", desk.write("demo", CLUSTER), "-n", place)
    where = ("raycluster", "demo", "-n", place)
    desk.cluster.kubectl("label", *where, "team=ours")
    desk.cluster.kubectl("annotate", *where, "note=theirs")
    finalizer = '{"metadata": {"finalizers": ["example.com/hold"]}}'
    desk.cluster.kubectl("patch", *where, "--type=merge", "-p", finalizer)
    assert desk.changes("./demo", "-n", place) == {}
    desk.write("demo", CLUSTER.replace("max_replicas: 3", "max_replicas: 4"))
    desk.done("up", "./demo", "-n", place)
    found = desk.all("RayCluster", place)["demo"]
    assert found["metadata"]["labels"]["team"] == "ours"
    assert found["metadata"]["annotations"]["note"] == "theirs"
    assert found["metadata"]["finalizers"] == ["example.com/hold"]
    assert found["spec"]["workerGroupSpecs"][0]["maxReplicas"] == 4
    nothing = '{"metadata": {"finalizers": null}}'
    desk.cluster.kubectl("patch", *where, "--type=merge", "-p", nothing)


def test_a_value_that_somebody_else_has_too_is_no_conflict(
    desk: Desk, place: str
) -> None:
    desk.done("up", desk.write("demo", CLUSTER), "-n", place)
    same: Object = {
        "apiVersion": "ray.io/v1",
        "kind": "RayCluster",
        "metadata": {"name": "demo", "namespace": place},
        "spec": {"rayVersion": "2.60.0"},
    }
    desk.apply(same, manager="argocd")
    assert desk.changes("./demo", "-n", place) == {}
    desk.write("demo", CLUSTER.replace("max_replicas: 3", "max_replicas: 4"))
    desk.done("up", "./demo", "-n", place)
