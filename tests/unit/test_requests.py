"""What rendered pods ask for, as Kubernetes' scheduler counts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ray_gke.gke.resources import Resources
from ray_gke.planning.plan import Plan
from ray_gke.rendering.render import render
from ray_gke.rendering.requests import disagreements, patched, requests

GIB = 2**30


def container(cpu: object, memory: str, **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ({"containers": [container(2, "8Gi")]}, Resources(2000, 8 * GIB)),
        (
            {"containers": [container("500m", "1Gi"), container("1", "2Gi")]},
            Resources(1500, 3 * GIB),
        ),
        # An init container has ended when the others start.
        (
            {
                "initContainers": [container(4, "1Gi")],
                "containers": [container(1, "2Gi")],
            },
            Resources(4000, 2 * GIB),
        ),
        # A sidecar goes on beside them.
        (
            {
                "initContainers": [container(1, "1Gi", restartPolicy="Always")],
                "containers": [container(1, "2Gi")],
            },
            Resources(2000, 3 * GIB),
        ),
        # What comes after a sidecar runs beside it.
        (
            {
                "initContainers": [
                    container(1, "1Gi", restartPolicy="Always"),
                    container(3, "1Gi"),
                ],
                "containers": [container(1, "4Gi")],
            },
            Resources(4000, 5 * GIB),
        ),
        # Without requests the limits count.
        (
            {"containers": [{"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}]},
            Resources(1000, GIB),
        ),
        ({"containers": [{}]}, Resources(0, 0)),
    ],
)
def test_requests_of_a_pod(pod: dict[str, Any], expected: Resources) -> None:
    assert requests(pod) == expected


@pytest.mark.parametrize(
    "workload", ["cluster: {}", "job: {entrypoint: 'true'}"], ids=["cluster", "job"]
)
def test_a_plan_without_patches_adds_nothing(
    planned: Callable[..., Plan], workload: str
) -> None:
    plan = planned(f"worker_groups: [{{name: g, max_replicas: 3}}]\n{workload}")
    manifests = render(plan, kuberay_version="1.5.1")
    assert patched(plan, manifests) == {}
    assert list(disagreements(plan, manifests)) == []
