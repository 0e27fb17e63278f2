"""Edits of runs that are up: what `plan` says of each is what KubeRay then does.

All of them are made at once, on one platform.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.cluster.bed import Bed
from tests.cluster.processes import eventually
from tests.kubernetes import desk as desks
from tests.kubernetes.desk import Desk
from tests.kubernetes.written import written

pytestmark = pytest.mark.cluster

Object = dict[str, Any]

BASE = """\
head: {cpu: 1, memory: 4Gi}
worker_groups:
  - {name: first, min_replicas: 1, max_replicas: 3, cpu: 1, memory: 2Gi}
  - {name: second, min_replicas: 1, cpu: 1, memory: 2Gi}
"""
SERVICE = "service: {serve_config: serve.yaml}\n"
FILES = {"serve.yaml": desks.NO_ANSWER, "app.py": "app = None\n"}
FIRST, SECOND = BASE.splitlines(keepends=True)[2:]
MORE = FIRST.replace(
    "min_replicas: 1, max_replicas: 3", "min_replicas: 3, max_replicas: 8"
)
CLUSTER = "ray.io/cluster"
THIRD = "  - {name: third, min_replicas: 1, cpu: 1, memory: 2Gi}\n"
KEPT_BACK = """\
patches:
- {kind: RayService, patch: {spec: {upgradeStrategy: {type: None}}}}
"""


@dataclass(frozen=True)
class Edit:
    """Replaces `old` by `new` in the blueprint, or in `file`.

    `service` and `cluster` say whether the Ray cluster stays.
    """

    old: str
    new: str
    service: bool
    cluster: bool
    file: str = ""

    def of(self, spec: str, files: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        text = files[self.file] if self.file else spec
        assert self.old in text
        text = text.replace(self.old, self.new, 1)
        return (spec, {**files, self.file: text}) if self.file else (text, dict(files))


EDITS = {
    "serve": Edit("route_prefix: /", "route_prefix: /b", True, True, "serve.yaml"),
    "most": Edit("max_replicas: 3", "max_replicas: 4", True, True),
    "least": Edit("min_replicas: 1", "min_replicas: 2", True, True),
    "fixed": Edit("second, min_replicas: 1", "second, min_replicas: 2", True, True),
    "toleration": Edit("first,", "first, tolerations: [{key: a}],", False, True),
    "appended": Edit(SECOND, SECOND + THIRD, True, True),
    "prepended": Edit(FIRST, THIRD + FIRST, False, True),
    "reordered": Edit(FIRST + SECOND, SECOND + FIRST, False, True),
    "removed": Edit(SECOND, "", False, False),
    "image": Edit("head", "ray: {image: 'ours/ray:2.60.0'}\nhead", False, False),
    "env": Edit("head:", "env: {A: b}\nhead:", False, False),
    "head": Edit("cpu: 1, memory: 4Gi", "cpu: 2, memory: 4Gi", False, False),
    "file": Edit("None", "1", False, False, "app.py"),
    "labels": Edit("name: first,", "name: first, labels: {a: b},", False, False),
    "idle": Edit(
        "head:", "autoscaler_options: {idle_timeout_seconds: 9}\nhead:", False, True
    ),
    "idle-group": Edit("first,", "first, idle_timeout_seconds: 9,", False, True),
}
RUNS = {
    **{f"s-{name}": (edit, SERVICE, FILES) for name, edit in EDITS.items()},
    **{
        f"c-{name}": (edit, "cluster: {}\n", {})
        for name, edit in EDITS.items()
        if not edit.file
    },
    "s-kept": (
        Edit("head:", "env: {A: b}\nhead:", True, True),
        SERVICE + KEPT_BACK,
        FILES,
    ),
}


@dataclass(frozen=True)
class Edited:
    """What `plan` said of each run's Ray object, and its Ray cluster before and after.

    `services` are the RayServices after.
    """

    said: dict[str, Object]
    before: dict[str, Object]
    after: dict[str, Object]
    services: dict[str, Object]


def ray_clusters(desk: Desk, namespace: str) -> dict[str, Object]:
    """The Ray cluster that counts for each run."""
    clusters = desk.all("RayCluster", namespace)
    found = {name: one for name, one in clusters.items() if name in RUNS}
    for name, one in desk.all("RayService", namespace).items():
        status = one["status"]
        assert not status.get("pendingServiceStatus", {}).get("rayClusterName")
        found[name] = clusters[status["activeServiceStatus"]["rayClusterName"]]
    assert found.keys() == RUNS.keys()
    return found


@pytest.fixture(scope="module")
def edited(cluster: Bed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edited]:
    with desks.at(cluster, tmp_path_factory.mktemp("edits")) as desk:
        namespace = desk.new_namespace()
        platform = {
            "apiVersion": "ray-gke/v1",
            "kind": "Platform",
            "metadata": {"name": "edits"},
            "spec": {
                "target": "kubernetes",
                "namespace": namespace,
                "blueprints": [{"blueprint": f"./{name}"} for name in RUNS],
            },
        }
        (desk.folder / "ray-gke.yaml").write_text(yaml.safe_dump(platform))
        for name, (_, workload, files) in RUNS.items():
            desk.write(name, BASE + workload, files)
        desk.done("up")
        before = ray_clusters(desk, namespace)
        for name, (edit, workload, files) in RUNS.items():
            desk.write(name, *edit.of(BASE + workload, files))
        said = desk.changes()
        desk.done("up", "--yes")
        after = ray_clusters(desk, namespace)
        assert desk.changes() == {}
        yield Edited(said, before, after, desk.all("RayService", namespace))


def told(edited: Edited, run: str) -> Object:
    kind = "RayService" if run.startswith("s-") else "RayCluster"
    return edited.said[f"{kind}/{run}"]


@pytest.mark.parametrize("name", EDITS)
def test_what_becomes_of_the_cluster_of_a_service(edited: Edited, name: str) -> None:
    run, stays = f"s-{name}", EDITS[name].service
    kept = edited.after[run]["metadata"]["uid"] == edited.before[run]["metadata"]["uid"]
    assert (told(edited, run)["action"], told(edited, run)["new_cluster"]) == (
        "change",
        not stays,
    )
    assert kept == stays


@pytest.mark.parametrize("name", [n for n, edit in EDITS.items() if not edit.file])
def test_what_becomes_of_a_cluster(edited: Edited, name: str) -> None:
    run, stays = f"c-{name}", EDITS[name].cluster
    kept = edited.after[run]["metadata"]["uid"] == edited.before[run]["metadata"]["uid"]
    assert (told(edited, run)["action"], told(edited, run)["ends_what_runs"]) == (
        "change" if stays else "replace",
        not stays,
    )
    assert kept == stays


def numbers(cluster: Object) -> list[tuple[int, int]]:
    groups = cluster["spec"]["workerGroupSpecs"]
    return [(group["minReplicas"], group["maxReplicas"]) for group in groups]


NUMBERS = {
    "most": [(1, 4), (1, 1)],
    "least": [(2, 3), (1, 1)],
    "fixed": [(1, 3), (2, 2)],
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_workers_reach_the_cluster_of_a_service_by_us(
    edited: Edited, name: str
) -> None:
    run, cluster = f"s-{name}", edited.before[f"s-{name}"]["metadata"]["name"]
    assert told(edited, run)["means"] == "in place: the cluster stays"
    scaled = edited.said[f"RayCluster/{cluster}"]
    assert (scaled["action"], scaled["means"], scaled["ends_what_runs"]) == (
        "change",
        "in place: numbers of workers",
        False,
    )
    assert numbers(edited.after[run]) == NUMBERS[name]


def test_no_other_cluster_of_a_service_is_written_by_us(edited: Edited) -> None:
    said = {key for key in edited.said if key.startswith("RayCluster/s-")}
    clusters = (edited.before[f"s-{name}"]["metadata"]["name"] for name in NUMBERS)
    assert said == {f"RayCluster/{cluster}" for cluster in clusters}
    assert numbers(edited.after["s-appended"]) == [(1, 3), (1, 1), (1, 1)]
    assert numbers(edited.after["c-most"]) == NUMBERS["most"]


def pods(desk: Desk, namespace: str, cluster: str) -> set[str]:
    found = desk.all("Pod", namespace).items()
    return {
        name for name, pod in found if pod["metadata"]["labels"][CLUSTER] == cluster
    }


def test_the_cluster_of_a_service_gets_more_workers(desk: Desk, place: str) -> None:
    up = ("up", desk.write("demo", BASE + SERVICE, FILES), "-n", place)
    desk.done(*up)
    (before,) = desk.all("RayCluster", place).values()
    name = before["metadata"]["name"]
    eventually("two workers", lambda: len(pods(desk, place, name)) == 1 + 2)
    few = pods(desk, place, name)
    desk.write("demo", (BASE + SERVICE).replace(FIRST, MORE), FILES)
    desk.done(*up)
    eventually("two more workers", lambda: len(pods(desk, place, name)) == 1 + 4)
    assert few < pods(desk, place, name)
    writes = written(desk.cluster)
    desk.done(*up)
    scaled_by_ray(desk, place, name)
    desk.done(*up)
    assert written(desk.cluster) == writes
    (after,) = desk.all("RayCluster", place).values()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert numbers(after) == [(3, 8), (1, 1)]
    assert after["spec"]["workerGroupSpecs"][0]["replicas"] == 4


def scaled_by_ray(desk: Desk, namespace: str, cluster: str) -> None:
    """Write one more worker as Ray's autoscaler does."""
    path = "/spec/workerGroupSpecs/0/replicas"
    patch = json.dumps([{"op": "replace", "path": path, "value": 4}])
    autoscaler = ("--type=json", "--field-manager=python-requests", "-p", patch)
    desk.cluster.kubectl("patch", "raycluster", cluster, "-n", namespace, *autoscaler)


def test_numbers_that_somebody_has_changed_come_back_and_the_rest_stays(
    desk: Desk, place: str
) -> None:
    desk.done("up", desk.write("demo", BASE + SERVICE, FILES), "-n", place)
    (name,) = desk.all("RayCluster", place)
    patch = (
        '[{"op": "replace", "path": "/spec/workerGroupSpecs/1/replicas", "value": 0}]'
    )
    where = ("raycluster", name, "-n", place, "--type=json")
    desk.cluster.kubectl("patch", *where, "-p", patch)
    (change,) = desk.changes("./demo", "-n", place).values()
    assert change["name"] == name
    assert "spec.workerGroupSpecs[1].replicas" in change["fields"]
    desk.done("up", "./demo", "-n", place)
    (cluster,) = desk.all("RayCluster", place).values()
    assert cluster["spec"]["workerGroupSpecs"][1]["replicas"] == 1
    assert name not in desk.all("ConfigMap", place)["ray-gke-demo"]["data"]["objects"]
    desk.done("down", "demo", "-n", place)
    desks.gone(desk, place, "RayService", "RayCluster")


def test_an_upgrade_strategy_of_none_keeps_a_cluster_as_it_is(edited: Edited) -> None:
    change = told(edited, "s-kept")
    assert (change["action"], change["new_cluster"]) == ("change", False)
    assert change["means"].startswith("kept back: upgradeStrategy None")
    for cluster in (edited.before["s-kept"], edited.after["s-kept"]):
        container = cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"]
        assert "A" not in {one["name"] for one in container[0].get("env", ())}
