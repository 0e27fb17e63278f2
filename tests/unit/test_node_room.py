"""Why no node takes certain pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ray_gke.targets.explanation import Pending
from ray_gke.targets.kubernetes.inventory import PoolFacts
from ray_gke.targets.kubernetes.node_matching import room, taint_lacks
from ray_gke.targets.kubernetes.node_room import pending
from ray_gke.targets.kubernetes.pod_requests import requests, used

ACCELERATOR = "cloud.google.com/gke-accelerator"
L4 = {ACCELERATOR: "nvidia-l4"}
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
SIZE = {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1", "pods": "110"}


def node(
    name: str,
    labels: Mapping[str, str] = L4,
    *,
    size: Mapping[str, str] = SIZE,
    ready: str = "True",
    **spec: Any,
) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": spec,
        "status": {"allocatable": dict(size), "conditions": conditions},
    }


def pod(
    name: str = "w",
    *,
    node_name: str = "",
    labels: Mapping[str, str] | None = None,
    size: Mapping[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    asked = size or {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"}
    containers = [{"name": "ray", "resources": {"requests": dict(asked)}}]
    return {
        "metadata": {
            "name": name,
            "namespace": "ml",
            "labels": labels or {"ray.io/group": "gpu"},
        },
        "spec": {"containers": containers, "nodeName": node_name, **spec},
    }


def told(
    one: Mapping[str, Any],
    nodes: Sequence[dict[str, Any]],
    others: Sequence[dict[str, Any]] = (),
) -> Pending:
    return pending([dict(one)], [room(each, others) for each in nodes])


def test_a_label_that_no_node_has_means_that_the_pool_is_not_there() -> None:
    wanted = {ACCELERATOR: "nvidia-tesla-a100"}
    found = told(pod(nodeSelector=wanted), [node("a"), node("b", {})])
    assert found.findings == (
        (
            f"no node has the label {ACCELERATOR}=nvidia-tesla-a100 (there are: "
            "nvidia-l4): there is no node pool of that shape, or it has no node now"
        ),
    )
    assert found.group == "gpu"
    assert found.wanted == {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"}
    assert [near.node for near in found.nearest] == ["a", "b"]


def test_labels_that_no_node_has_all_of() -> None:
    both = {**L4, "cloud.google.com/gke-spot": "true"}
    nodes = [node("a"), node("b", {"cloud.google.com/gke-spot": "true"})]
    (finding,) = told(pod(nodeSelector=both), nodes).findings
    assert finding.startswith("no node has all labels that it wants: 1 lack label ")


def test_gpus_that_others_have_are_named_with_who_has_them() -> None:
    nodes = [node("a"), node("b"), node("c")]
    balloon = {"ray-gke/balloon": "gpu"}
    others = [
        pod("x", node_name="a"),
        pod("y", node_name="b"),
        pod("z", node_name="c", labels=balloon),
    ]
    found = told(pod(nodeSelector=L4), nodes, others)
    assert found.findings == (
        f"3 nodes have {ACCELERATOR}=nvidia-l4",
        "all their GPUs are taken: ml/x, ml/y, 1 balloon pods, which give way",
    )
    assert found.nearest[0].lacks == ("nvidia.com/gpu: 1 wanted, 0 of 1 free",)


def test_a_pod_larger_than_any_node() -> None:
    found = told(pod(size={"cpu": "64"}), [node("a"), node("b")])
    assert found.findings[-1] == (
        "none is large enough, even when empty: 64 cpu wanted, the largest has 8"
    )


def test_a_pod_that_one_node_would_take() -> None:
    found = told(pod(), [node("a"), node("b", size={"cpu": "1", "pods": "9"})])
    assert "1 node would take it" in found.findings
    assert [near.node for near in found.nearest] == ["b"]


def test_what_keeps_pods_off_is_counted() -> None:
    nodes = [
        node("a", taints=[GPU_TAINT]),
        node("b", unschedulable=True),
        node("c", ready="Unknown"),
    ]
    found = told(pod(), nodes)
    assert found.findings == (
        "3 nodes have all labels that it wants",
        "1 of them would need toleration of nvidia.com/gpu=present:NoSchedule",
        "1 of them would need being uncordoned",
        "1 of them would need being ready",
    )


def test_a_cluster_without_nodes() -> None:
    assert told(pod(), []).findings == ("the cluster has no nodes",)


@pytest.mark.parametrize(
    ("expression", "lacks"),
    [
        ({"operator": "In", "values": ["nvidia-l4"]}, False),
        ({"operator": "In", "values": ["other"]}, True),
        ({"operator": "NotIn", "values": ["other"]}, False),
        ({"operator": "NotIn", "values": ["nvidia-l4"]}, True),
        ({"operator": "Exists"}, False),
        ({"operator": "DoesNotExist"}, True),
        ({"operator": "Gt", "values": ["1"], "key": "generation"}, False),
        ({"operator": "Lt", "values": ["1"], "key": "generation"}, True),
        ({"operator": "Gt", "values": ["1"], "key": "absent"}, True),
    ],
)
def test_affinity_is_understood(expression: dict[str, Any], *, lacks: bool) -> None:
    term = {"matchExpressions": [{"key": ACCELERATOR, **expression}]}
    required = {"nodeSelectorTerms": [term]}
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = {"nodeAffinity": {key: required}}
    labels = {**L4, "generation": "2"}
    found = told(pod(affinity=affinity), [node("a", labels)])
    assert bool(found.nearest) == lacks


def test_one_of_several_alternatives_of_an_affinity_is_enough() -> None:
    def term(value: str) -> dict[str, Any]:
        one = {"key": ACCELERATOR, "operator": "In", "values": [value]}
        return {"matchExpressions": [one]}

    key = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = {"nodeSelectorTerms": [term("other"), term("nvidia-l4")]}
    found = told(pod(affinity={"nodeAffinity": {key: terms}}), [node("a")])
    assert not found.nearest


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "operator": "Exists"}, True),
        ({"key": "nvidia.com/gpu", "value": "present"}, True),
        ({"key": "nvidia.com/gpu", "value": "other"}, False),
        ({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_tolerations_are_understood(
    toleration: dict[str, str], *, tolerated: bool
) -> None:
    lacks = taint_lacks(pod(tolerations=[toleration]), node("a", taints=[GPU_TAINT]))
    assert (not lacks) == tolerated


def test_init_containers_count_by_the_largest_and_sidecars_always() -> None:
    def container(cpu: str, **more: str) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    one = pod(
        size={"cpu": "2"},
        initContainers=[container("1", restartPolicy="Always"), container("5")],
    )
    assert requests(one) == {"cpu": 6}


def test_a_limit_is_the_request_where_there_is_none() -> None:
    one = pod()
    one["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "3"}}
    assert requests(one) == {"cpu": 3}


def test_quota_use_is_counted_in_the_words_of_quotas() -> None:
    over = {**pod("over"), "status": {"phase": "Succeeded"}}
    found = used([pod(), pod("x"), over])
    assert found["pods"] == 2
    assert found["requests.nvidia.com/gpu"] == 2
    assert found["requests.cpu"] == found["cpu"] == 4


@pytest.mark.parametrize(("most", "nodes"), [(1, "1 node"), (4, "4 nodes")])
def test_the_pool_of_the_plan_is_named_with_its_limit(most: int, nodes: str) -> None:
    label = {"cloud.google.com/gke-nodepool": "l4-abc"}
    places = [room(node("a", label), []), room(node("b"), [])]
    pools = [PoolFacts("l4-abc", most), PoolFacts("another", 9)]
    found = pending([pod(nodeSelector=label)], places, pools)
    sentence = f"the plan's pool l4-abc may have at most {nodes} and has 1"
    assert found.findings[-1] == sentence
    others = pending([pod()], places, pools).findings
    assert not any("the plan's pool" in one for one in others)
