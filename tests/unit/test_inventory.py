"""What is remembered of a run, written and read again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ray_gke import selection
from ray_gke.commands import on_gke
from ray_gke.planning.plan import Plan
from ray_gke.targets.kubernetes import inventory
from ray_gke.targets.kubernetes.cluster_facts import Facts
from ray_gke.targets.kubernetes.inventory import (
    GroupFacts,
    Inventory,
    Item,
    PoolFacts,
)
from ray_gke.targets.kubernetes.resources import Ref

RAY = Ref("RayService", "ml", "demo")
KNOWN = Inventory(
    "demo",
    "ml",
    "service",
    "squares",
    (GroupFacts("gpu", 0, 7),),
    (Item(Ref("PriorityClass", "", "ml-demo-balloon")), Item(RAY, "d", "f", "g")),
    pools=(PoolFacts("n2-standard-8-abc", 4),),
)


def test_what_was_written_is_read_again() -> None:
    assert inventory.parse(KNOWN.manifest()) == KNOWN
    assert KNOWN.same_as(inventory.parse(KNOWN.manifest()))
    assert not KNOWN.same_as(None)


def test_one_of_an_older_version_is_read_too() -> None:
    older = KNOWN.manifest()
    run = json.loads(older["data"]["run"])
    del run["pools"]
    run["groups"][0]["num_gpus"] = 1
    older["data"]["run"] = json.dumps(run)
    assert inventory.parse(older) == replace(KNOWN, pools=())


def test_it_keeps_the_pools_that_the_plan_is_for(planned: Callable[..., Plan]) -> None:
    plan = planned("head: {cpu: 1, memory: 4Gi}\ncluster: {}\n")
    head = replace(plan.head, node_selector={"cloud.google.com/gke-nodepool": "ours"})
    plan = replace(plan, head=head)
    found = Inventory.of(plan, "ml", (), {"ours": 4, "another-run-s": 9})
    assert found.pools == (PoolFacts("ours", 4),)


def test_its_own_object_carries_the_labels_of_the_run() -> None:
    metadata = KNOWN.manifest()["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("ray-gke-demo", "ml")
    found = ",".join(f"{key}={value}" for key, value in metadata["labels"].items())
    assert found.startswith(KNOWN.selector)


def test_the_ray_object_is_the_last_one() -> None:
    assert KNOWN.ray == RAY
    assert Inventory("demo", "ml", "job", "squares").ray is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"run": "{", "objects": "[]"},
        {"run": "{}", "objects": "[]"},
        {"run": KNOWN.manifest()["data"]["run"], "objects": "[1]"},
        {"run": KNOWN.manifest()["data"]["run"], "objects": '[{"kind": "Pod"}]'},
        {
            "run": KNOWN.manifest()["data"]["run"],
            "objects": '[{"kind": "RayJob", "namespace": "other", "name": "demo"}]',
        },
        {"run": "[]", "objects": "[]"},
    ],
)
def test_what_somebody_has_written_in_it_is_as_if_it_were_not_there(
    data: dict[str, Any],
) -> None:
    assert inventory.parse({**KNOWN.manifest(), "data": data}) is None


def test_another_config_map_is_none() -> None:
    other = KNOWN.manifest()
    other["metadata"]["labels"].pop("ray-gke/inventory")
    assert inventory.parse(other) is None


def test_one_that_nobody_can_read_is_damaged() -> None:
    assert inventory.is_damaged({**KNOWN.manifest(), "data": {"run": "{"}})
    assert not inventory.is_damaged(KNOWN.manifest())
    assert not inventory.is_damaged({"metadata": {"name": "notes"}})


PLATFORM = """\
apiVersion: ray-gke/v1
kind: Platform
metadata: {name: ours}
spec:
  target: gke
  project: some-project
  region: us-central1
  catalogs: [{path: catalog}]
  blueprints: [{blueprint: train}]
"""
BLUEPRINT = """\
apiVersion: ray-gke/v1
kind: Blueprint
metadata: {name: train, summary: Three workers with a whole GPU each}
spec:
  worker_groups:
  - name: gpu
    min_replicas: 0
    max_replicas: 3
    machine_type: a2-highgpu-1g
    gpu: {accelerator: nvidia-tesla-a100}
  cluster: {}
"""


def test_a_run_on_gke_comes_with_the_limits_of_its_pools(tmp_path: Path) -> None:
    folder = tmp_path / "catalog" / "train"
    folder.mkdir(parents=True)
    (folder / "blueprint.yaml").write_text(BLUEPRINT)
    (tmp_path / "ray-gke.yaml").write_text(PLATFORM)
    whole = on_gke.Whole.of(selection.choose(tmp_path / "ray-gke.yaml"))
    facts = Facts(None, None, frozenset(), gke=True)
    where: Any = SimpleNamespace(facts=lambda: facts, namespace="ml")
    (run,) = on_gke.wanted(whole, whole.selected, where, None)
    pools = Inventory.of(run.plan, "ml", (), run.max_nodes).pools
    most = {one.name.rpartition("-")[0]: one.max_nodes for one in pools}
    assert most["a2-highgpu-1g"] == 3
