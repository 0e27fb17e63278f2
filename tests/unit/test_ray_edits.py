"""What an edit of a Ray object means, as plain data; that KubeRay agrees is tested in
tests/kubernetes/test_kuberay_edits.py."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ray_gke.rendering.kuberay_rules import CLUSTER_KEY
from ray_gke.targets.kubernetes import ray_edits
from ray_gke.targets.kubernetes.ray_edits import Edit

Object = dict[str, Any]


def group(name: str, gpus: int = 0, **more: Any) -> Object:
    limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    container = {"name": "ray", "image": "ray:1", "resources": {"limits": limits}}
    pod = {"spec": {"containers": [container]}}
    return {
        "groupName": name,
        "minReplicas": 1,
        "maxReplicas": 3,
        "template": pod,
        **more,
    }


def ray(kind: str, *groups: Object, **more: Any) -> Object:
    cluster: Object = {
        "headGroupSpec": {"template": {"spec": {"containers": []}}},
        "workerGroupSpecs": list(groups),
        "autoscalerOptions": {"idleTimeoutSeconds": 60},
        **more,
    }
    one: Object = {"kind": kind, "metadata": {"name": "demo"}, "spec": {}}
    inner = one
    for step in CLUSTER_KEY[kind][:-1]:
        inner = inner[step]
    if kind == "RayCluster":
        one["spec"] = cluster
    else:
        inner[CLUSTER_KEY[kind][-1]] = cluster
    return one


def serving(version: str, *groups: Object, **more: Any) -> Object:
    """A RayCluster as KubeRay of a version has made it for a service."""
    one = ray("RayCluster", *groups, **more)
    one["metadata"]["annotations"] = {"ray.io/kuberay-version": f"v{version}"}
    return one


def edit(kind: str, before: list[Object], after: list[Object], **more: Any) -> Edit:
    return ray_edits.edit(ray(kind, *before), ray(kind, *after, **more))


A, B, C = group("a"), group("b"), group("c")
TOLERANT = copy.deepcopy(A)
TOLERANT["template"]["spec"]["tolerations"] = [{"key": "x"}]


def test_a_job_is_always_made_anew() -> None:
    assert edit("RayJob", [A], [A]).replaces


@pytest.mark.parametrize(
    "after",
    [
        [{**A, "maxReplicas": 9}, B],
        [{**A, "replicas": 2}, B],
        [{**A, "idleTimeoutSeconds": 9}, B],
        [TOLERANT, B],
        [A, B, C],
        [C, B, A],
    ],
)
def test_what_a_living_cluster_takes(after: list[Object]) -> None:
    assert edit("RayCluster", [A, B], after).note == "in place: the cluster stays"


def test_a_living_cluster_takes_the_options_of_the_autoscaler_that_it_reads() -> None:
    quick = {"idleTimeoutSeconds": 9, "upscalingMode": "Aggressive"}
    assert not edit("RayCluster", [A], [A], autoscalerOptions=quick).replaces
    assert edit("RayCluster", [A], [A], autoscalerOptions={"image": "b"}).replaces


@pytest.mark.parametrize("after", [[A], [A, group("b", 1)], [A, {**B, "labels": {}}]])
def test_what_makes_a_cluster_anew(after: list[Object]) -> None:
    assert edit("RayCluster", [A, B], after).replaces


def test_a_service_takes_groups_at_the_end_and_nothing_else_of_its_cluster() -> None:
    assert not edit("RayService", [A], [A, C]).new_cluster
    for after in ([C, A], [], [group("a", 1)], [{**A, "idleTimeoutSeconds": 9}]):
        assert edit("RayService", [A], after).new_cluster


@pytest.mark.parametrize("key", ["minReplicas", "maxReplicas", "replicas"])
def test_numbers_of_workers_of_a_service_are_edited_in_place(key: str) -> None:
    found = edit("RayService", [A], [{**A, key: 2}])
    assert (found.note, found.in_place) == ("in place: the cluster stays", True)


@pytest.mark.parametrize(
    ("version", "new"), [("1.5.1", True), ("1.6.2", False), ("1.7.0", False)]
)
def test_tolerations_of_a_service_by_version_of_kuberay(
    version: str, new: bool
) -> None:
    after = ray("RayService", TOLERANT)
    found = ray_edits.edit(ray("RayService", A), after, serving(version, A))
    assert (found.new_cluster, found.in_place) == (new, not new)
    assert ("tolerations only with another edit" in found.note) == (not new)


def test_a_service_is_compared_with_the_cluster_that_it_has() -> None:
    """Edits that were kept back come with the next one."""
    wanted = ray("RayService", B)
    assert ray_edits.edit(wanted, wanted, serving("1.5.1", A)).new_cluster
    wanted["spec"]["upgradeStrategy"] = {"type": "None"}
    kept = ray_edits.edit(wanted, wanted, serving("1.5.1", A))
    assert (kept.new_cluster, kept.note[:9]) == (False, "kept back")


def test_gpus_are_those_of_the_least_workers() -> None:
    groups = [group("a", 2), {**group("b", 1), "minReplicas": 0, "replicas": 3}]
    found = edit("RayService", [A], [*groups, {**group("c", 4), "minReplicas": 0}])
    assert (found.new_cluster, found.gpus) == (True, 5)
