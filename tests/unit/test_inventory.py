"""What is remembered of a run, written and read again."""

from __future__ import annotations

from typing import Any

import pytest

from ray_gke.targets.kubernetes import inventory
from ray_gke.targets.kubernetes.inventory import GroupFacts, Inventory, Item
from ray_gke.targets.kubernetes.resources import Ref

RAY = Ref("RayService", "ml", "demo")
KNOWN = Inventory(
    "demo",
    "ml",
    "service",
    "squares",
    (GroupFacts("gpu", 0, 7, 1),),
    (Item(Ref("PriorityClass", "", "ml-demo-balloon")), Item(RAY, "d", "f", "g")),
)


def test_what_was_written_is_read_again() -> None:
    assert inventory.parse(KNOWN.manifest()) == KNOWN
    assert KNOWN.same_as(inventory.parse(KNOWN.manifest()))
    assert not KNOWN.same_as(None)


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
