"""Nodes of idle workers go, that of the head stays: by what is rendered by default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ray_gke.catalog.load import load
from ray_gke.planning.build import build
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render
from tests.scale_down import ANNOTATION, Pod, what_stays

ROOT = Path(__file__).parents[1]
BLUEPRINTS = sorted(
    file.parent
    for pattern in ("blueprints/*/blueprint.yaml", "tests/goldens/*/*/blueprint.yaml")
    for file in ROOT.glob(pattern)
)
TOLD = {"head": "false", "worker": "true", "balloons": "true", "submitter": None}
"""What pods say of themselves; the submitter nothing, as its Job makes it again."""
CLUSTER = {"RayJob": "rayClusterSpec", "RayService": "rayClusterConfig"}

Object = dict[str, Any]


def pods(objects: list[Object]) -> Iterator[tuple[str, Pod]]:
    """Yield a pod of each group as KubeRay makes it, and of each Deployment."""
    for one in objects:
        spec = one.get("spec", {})
        if one["kind"] == "Deployment":
            yield "balloons", pod("ReplicaSet", spec["template"])
        if one["apiVersion"] == "ray.io/v1":
            cluster = spec.get(CLUSTER.get(one["kind"], ""), spec)
            head = {"ray.io/node-type": "head"}
            yield (
                "head",
                pod("RayCluster", cluster["headGroupSpec"]["template"], **head),
            )
            for group in cluster["workerGroupSpecs"]:
                of_group = {
                    "ray.io/node-type": "worker",
                    "ray.io/group": group["groupName"],
                }
                yield "worker", pod("RayCluster", group["template"], **of_group)
        if "submitterPodTemplate" in spec:
            yield "submitter", pod("Job", spec["submitterPodTemplate"])


def pod(owner: str, template: Object, **labels: str) -> Pod:
    metadata = template.get("metadata", {})
    own = metadata.get("labels", {})
    return Pod(owner, {**own, **labels}, metadata.get("annotations", {}))


@pytest.mark.parametrize("folder", BLUEPRINTS, ids=lambda folder: folder.name)
def test_only_the_head_holds_its_node(folder: Path) -> None:
    objects = list(render(build(load(folder, {})), kuberay_version="1.7.0"))
    budgets = [one for one in objects if one["kind"] == "PodDisruptionBudget"]
    assert budgets == []
    for role, one in pods(objects):
        stays = what_stays([one], [], budgets)
        assert bool(stays) == (role == "head"), (role, stays)
        assert one.annotations.get(ANNOTATION) == TOLD[role]


def test_a_worker_without_the_annotation_would_hold_its_node() -> None:
    """The rules can tell: KubeRay's pods have a controller that GKE does not know."""
    assert what_stays([Pod("RayCluster")], [], [])
    assert what_stays([Pod("Job", annotations={ANNOTATION: "false"})], [], [])


@pytest.mark.parametrize(
    ("groups", "deployments", "serving"),
    [
        ("{name: a}", "{name: M, num_replicas: 2}", 2),
        ("{name: a}", "{name: M, num_replicas: 4}", 2),
        ("{name: a, min_replicas: 4}", "{name: M, num_replicas: 2}", 2),
        ("{name: a}, {name: b}", "{name: M, num_replicas: 2}", 2),
        ("{name: a, min_replicas: 4}", "{name: M, num_replicas: 3}", 3),
        (
            "{name: a, min_replicas: 4}",
            "{name: M, num_replicas: 2}, {name: N, num_replicas: 3}",
            3,
        ),
        (
            "{name: a, min_replicas: 2, max_replicas: 4}",
            "{name: M, autoscaling_config: {min_replicas: 3, max_replicas: 4}}",
            2,
        ),
    ],
)
def test_workers_of_a_highly_available_service_leave_one_by_one(
    planned: Callable[..., Plan], groups: str, deployments: str, serving: int
) -> None:
    """Only the `serving` workers have a replica, and so are ever Ready."""
    config = f"applications: [{{import_path: 'app:app', deployments: [{deployments}]}}]"
    plan = planned(
        f"""
        worker_groups: [{groups}]
        gcs_fault_tolerance_options: {{redis_address: 'redis:6379'}}
        service: {{serve_config: serve.yaml, highly_available: true}}
        """,
        files={"serve.yaml": config.encode()},
    )
    objects = list(render(plan, kuberay_version="1.5.1"))
    (budget,) = (one for one in objects if one["kind"] == "PodDisruptionBudget")
    worker = next(one for role, one in pods(objects) if role == "worker")
    waiting = replace(worker, ready=False)
    others = [worker] * (serving - 1)
    assert not what_stays([worker], [*others, waiting, waiting], [budget])
    assert what_stays([worker], [*others[1:], waiting, waiting], [budget]), "a second"
    assert not what_stays([waiting], [*others[1:], waiting], [budget])
    assert not what_stays([worker, worker], others[1:], [budget]), "one by one"


def test_replicas_that_nobody_counted_keep_one_worker(
    planned: Callable[..., Plan],
) -> None:
    plan = planned(
        """
        worker_groups: [{name: workers}]
        gcs_fault_tolerance_options: {redis_address: 'redis:6379'}
        service: {serve_config: serve.yaml, highly_available: true}
        """,
        files={"serve.yaml": b"applications: [{import_path: 'app:app'}]\n"},
    )
    objects = list(render(plan, kuberay_version="1.5.1"))
    (budget,) = (one for one in objects if one["kind"] == "PodDisruptionBudget")
    worker = next(one for role, one in pods(objects) if role == "worker")
    assert not what_stays([worker], [worker], [budget])
    assert what_stays([worker], [replace(worker, ready=False)], [budget])
