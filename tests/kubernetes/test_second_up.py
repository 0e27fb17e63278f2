"""A second `up`: it writes what has changed, and only that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kubernetes import lives
from tests.kubernetes.desk import Desk
from tests.kubernetes.lives import SPECS
from tests.kubernetes.written import written

pytestmark = pytest.mark.cluster

PLATFORM = """\
apiVersion: ray-gke/v1
kind: Platform
metadata: {{name: all}}
spec:
  target: kubernetes
  namespace: {namespace}
  blueprints:
  - blueprint: ./stays
  - blueprint: ./stays
    name: stays-too
  - blueprint: ./works
  - blueprint: ./serves
"""
ELASTIC = """\
head: {cpu: 1, memory: 2Gi}
worker_groups:
- {name: few, min_replicas: 1, max_replicas: 5, cpu: 1, memory: 2Gi}
cluster: {}
"""


@pytest.mark.parametrize("name", SPECS)
def test_an_unchanged_run_is_not_written(desk: Desk, place: str, name: str) -> None:
    lives.write(desk)
    command = ("up", f"./{name}", "--on", "kubernetes", "--namespace", place)
    desk.done(*command)
    there, before = desk.written(place), written(desk.cluster)
    assert before
    desk.done(*command)
    assert written(desk.cluster)[len(before) :] == []
    assert desk.written(place) == there


def test_an_unchanged_platform_is_not_written(desk: Desk, place: str) -> None:
    lives.write(desk)
    (desk.folder / "ray-gke.yaml").write_text(PLATFORM.format(namespace=place))
    desk.done("up")
    there, before = desk.written(place), written(desk.cluster)
    desk.done("up")
    assert written(desk.cluster)[len(before) :] == []
    assert desk.written(place) == there


def scaled(desk: Desk, place: str, replicas: int) -> None:
    """Write the number of workers as Ray's autoscaler does."""
    patch = [{"op": "replace", "path": "/spec/workerGroupSpecs/0/replicas"}]
    patch[0] |= {"value": replicas}  # type: ignore[dict-item]
    kind = ("--type=json", "--field-manager=python-requests")
    where = ("raycluster", "elastic", "-n", place, *kind)
    desk.cluster.kubectl("patch", *where, "-p", json.dumps(patch))


def groups(desk: Desk, place: str) -> list[dict[str, Any]]:
    found = desk.all("RayCluster", place)["elastic"]["spec"]["workerGroupSpecs"]
    return list(found)


def test_rays_autoscaler_keeps_its_numbers(desk: Desk, place: str) -> None:
    blueprint = desk.write("elastic", ELASTIC)
    command = ("up", blueprint, "--on", "kubernetes", "--namespace", place)
    desk.done(*command)
    scaled(desk, place, 3)
    before = written(desk.cluster)
    desk.done(*command)
    assert written(desk.cluster)[len(before) :] == []
    assert groups(desk, place)[0]["replicas"] == 3
    desk.write("elastic", ELASTIC.replace("max_replicas: 5", "max_replicas: 7"))
    desk.done(*command)
    (group,) = groups(desk, place)
    assert (group["replicas"], group["maxReplicas"]) == (3, 7)
    scaled(desk, place, 5)
    desk.done(*command)
    assert groups(desk, place)[0]["replicas"] == 5


ODD = """\
head: {cpu: 1.5, memory: 2048Mi}
worker_groups:
- {name: few, min_replicas: 1, cpu: 0.5, memory: 1.5Gi}
job: {entrypoint: python -c 'print(1)'}
"""


def test_quantities_that_kuberay_writes_otherwise_stay_ours(
    desk: Desk, place: str
) -> None:
    """It updates a RayJob as a whole, in the words of its own types."""
    desk.write("odd", ODD)
    command = ("./odd", "--on", "kubernetes", "--namespace", place)
    desk.done("up", *command)
    before = written(desk.cluster)
    desk.done("plan", *command, "--detailed-exitcode")
    desk.done("up", *command)
    assert written(desk.cluster)[len(before) :] == []
