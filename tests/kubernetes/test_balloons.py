"""Placeholder pods as a plan sizes them: they keep a place, and give way at once."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.cluster.processes import eventually
from tests.kubernetes.desk import Desk
from tests.kubernetes.gke_nodes import GkeNodes

pytestmark = pytest.mark.cluster

Object = dict[str, Any]

SPEC = """\
head: {cpu: 1, memory: 4Gi}
worker_groups:
- name: gpu
  min_replicas: 0
  max_replicas: 2
  warm_replicas: 2
  machine_type: g2-standard-8
  gpu: {accelerator: nvidia-l4}
cluster: {}
"""
GENEROUS_SECONDS = 15


def scale(desk: Desk, namespace: str, replicas: int, *delete: str) -> None:
    """Ask for workers as Ray's autoscaler does."""
    group = "/spec/workerGroupSpecs/0"
    gone = {"workersToDelete": list(delete)}
    patch = [
        {"op": "replace", "path": f"{group}/replicas", "value": replicas},
        {"op": "add", "path": f"{group}/scaleStrategy", "value": gone},
    ]
    change = ("--type=json", "-p", json.dumps(patch))
    desk.cluster.kubectl("patch", "raycluster", "demo", "-n", namespace, *change)


def pods(desk: Desk, namespace: str, phase: str, label: str) -> dict[str, str]:
    """The pods with a label in a phase, and their nodes."""
    return {
        name: pod["spec"].get("nodeName", "")
        for name, pod in desk.all("Pod", namespace).items()
        if label in pod["metadata"]["labels"] and pod["status"]["phase"] == phase
    }


def balloons(desk: Desk, namespace: str, phase: str = "Running") -> dict[str, str]:
    return pods(desk, namespace, phase, "ray-gke/balloon")


def workers(desk: Desk, namespace: str) -> dict[str, str]:
    found = pods(desk, namespace, "Running", "ray.io/group")
    return {name: node for name, node in found.items() if "gpu-worker" in name}


def test_a_balloon_keeps_a_place_gives_way_and_comes_back(
    desk: Desk, place: str
) -> None:
    desk.write("demo", SPEC)
    plan = desk.done("plan", "./demo", "-o", "json").json
    nodes = GkeNodes(desk.cluster, place)
    nodes.add(pool for pool in plan["pools"] if pool["accelerator"])
    assert len(nodes.names) == 2
    desk.done("up", "./demo", "-n", place)
    eventually("two balloons", lambda: len(balloons(desk, place)) == 2)
    assert set(balloons(desk, place).values()) == set(nodes.names)

    scale(desk, place, 1)
    began = time.monotonic()
    eventually("a worker", lambda: workers(desk, place))
    assert time.monotonic() - began < GENEROUS_SECONDS
    ((worker, node),) = workers(desk, place).items()
    assert node in nodes.names
    eventually("one to wait", lambda: len(balloons(desk, place, "Pending")) == 1)
    assert set(balloons(desk, place).values()) == set(nodes.names) - {node}

    scale(desk, place, 0, worker)
    eventually("it to be back", lambda: len(balloons(desk, place)) == 2)
    assert set(balloons(desk, place).values()) == set(nodes.names)

    desk.done("down", "demo", "-n", place)
    nodes.remove()
