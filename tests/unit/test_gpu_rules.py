"""Rules for GPUs, machines and zones: what is refused, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from ray_gke.catalog import prices
from ray_gke.catalog.groups import Group, Head, WorkerGroup
from ray_gke.gke.nodes import Shape
from ray_gke.planning import gpus
from ray_gke.planning.site import Site, Target

A100 = {"accelerator": "nvidia-tesla-a100"}
L4 = {"accelerator": "nvidia-l4"}
MPS = {"strategy": "mps", "max_shared_clients_per_gpu": 4}
TIME_SHARING = {"strategy": "time-sharing", "max_shared_clients_per_gpu": 48}


def _worker(**words: Any) -> WorkerGroup:
    return WorkerGroup.model_validate({"name": "gpu", **words})


def _faults(
    group: Group, target: Target = "gke", zones: tuple[str, ...] = ()
) -> list[tuple[tuple[str | int, ...], str, str]]:
    return list(gpus.faults(group, Site(prices.load(), target, "us-central1", zones)))


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"gpu": A100},
        {"gpu": {**A100, "count": 16}},
        {"gpu": {**A100, "partition": "3g.20gb", "count": 2}},
        {"gpu": {**A100, "partition": "1g.5gb", "sharing": MPS}},
        {"gpu": {**A100, "partition": "7g.40gb", "sharing": {**MPS}, "count": 4}},
        {"gpu": {**L4, "sharing": TIME_SHARING}},
        {"gpu": {**L4, "sharing": MPS, "count": 4}, "machine_type": "g2-standard-8"},
        {"gpu": {**L4, "sharing": MPS}, "machine_type": "g2-standard-24"},
        {"gpu": {"accelerator": "nvidia-h200-141gb"}, "provisioning": "flex-start"},
        {"gpu": {"accelerator": "nvidia-h200-141gb"}, "reservation": "ours"},
        {"gpu": {"accelerator": "nvidia-h100-80gb"}, "provisioning": "standard"},
        {
            "gpu": {"accelerator": "nvidia-h100-80gb"},
            "machine_type": "a3-highgpu-1g",
            "provisioning": ["standard", "spot"],
        },
        {
            "gpu": {"accelerator": "nvidia-rtx-pro-6000"},
            "machine_type": "g4-standard-6",
        },
        {
            "gpu": {"accelerator": "nvidia-tesla-t4"},
            "machine_type": "n1-standard-96",
        },
        {"gpu": A100, "provisioning": ["spot", "standard"]},
        {"gpu": A100, "provisioning": "reservation", "reservation": "ours"},
        {"gpu": A100, "provisioning": "flex-start", "queued_provisioning": True},
        {"gpu": A100, "zones": ["us-central1-a"], "placement_policy": "COMPACT"},
        {"gpu": {"memory": "40Gi", "isolation": "none"}},
        {"gpu": {"memory": "10Gi", "accelerators": ["nvidia-l4"], "count": 8}},
        {"machine_type": "n1-standard-8"},
    ],
)
def test_what_gke_takes_is_not_refused(words: dict[str, Any]) -> None:
    assert _faults(_worker(**words)) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("nvidia-a100", "nvidia-tesla-a100 or nvidia-a100-80gb?"),
        ("nvidia-a100-40gb", "nvidia-tesla-a100?"),
        ("nvidia-tesla-l4", "nvidia-l4?"),
        ("nvidia-t4", "nvidia-tesla-t4?"),
        ("nvidia-h200", "nvidia-h200-141gb?"),
        ("nvidia-h100-mega", "nvidia-h100-mega-80gb?"),
        ("nvidia-tesla-v10", "nvidia-tesla-v100?"),
    ],
)
def test_a_name_that_gke_spells_otherwise_is_recognised(name: str, meant: str) -> None:
    ((path, _, hint),) = _faults(_worker(gpu={"accelerator": name}))
    assert path == ("gpu", "accelerator")
    assert hint.startswith(f"did you mean {meant} the accelerators are ")


def test_what_resembles_nothing_gets_the_list_alone() -> None:
    ((_, _, hint),) = _faults(_worker(gpu={"accelerator": "nvidia-quadro"}))
    assert hint.startswith("the accelerators are nvidia-tesla-a100, ")


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        # Each has more than one mistake, and each mistake is told once.
        (
            {
                "gpu": {"accelerator": "nvidia-h200-141gb", "sharing": MPS, "count": 2},
                "machine_type": "a3-ultragpu-8g",
            },
            [("gpu", "count"), ("machine_type",)],
        ),
        (
            {"gpu": {**A100, "partition": "4g.20gb"}, "machine_type": "g2-standard-8"},
            [("gpu", "partition"), ("machine_type",)],
        ),
        (
            {"gpu": {**A100, "count": 4}, "machine_type": "a2-highgpu-9g"},
            [("machine_type",)],
        ),
        (
            {"gpu": A100, "zones": ["us-central1-d", "europe-west4-a"]},
            [("zones", 1), ("zones", 0)],
        ),
        (
            {"gpu": A100, "reservation": "ours", "provisioning": ["spot", "standard"]},
            [("reservation",)],
        ),
    ],
)
def test_every_mistake_is_told_once(
    words: dict[str, Any], keys: list[tuple[str | int, ...]]
) -> None:
    assert [path for path, _, _ in _faults(_worker(**words))] == keys


def test_a_head_is_never_told_to_change_its_provisioning() -> None:
    head = Head.model_validate({"gpu": {"accelerator": "nvidia-b200"}})
    ((path, message, hint),) = _faults(head)
    assert path == ("gpu",)
    assert message.startswith("nvidia-b200 cannot be had as standard, only as ")
    assert hint.startswith("a head is always standard: move gpu to a group")


def test_a_cluster_elsewhere_may_call_its_zones_what_it_wants() -> None:
    group = _worker(zones=["europe-west4-a"])
    assert _faults(group, "kubernetes") == []
    assert [path for path, _, _ in _faults(group)] == [("zones", 0)]


def test_the_only_zone_of_a_platform_is_enough_for_compact_placement() -> None:
    group = _worker(gpu=A100, placement_policy="COMPACT")
    assert _faults(group, zones=("us-central1-a",)) == []


def test_the_shape_that_a_gpu_by_name_asks() -> None:
    group = _worker(gpu={**A100, "partition": "1g.5gb", "sharing": MPS})
    shape = gpus.shape(group.gpu)
    assert shape == Shape("nvidia-tesla-a100", "1g.5gb", "mps", 4)
    assert gpus.ray_labels(shape) == {
        "ray.io/accelerator-type": "A100",
        "ray-gke/gpu-partition": "1g.5gb",
    }
    assert gpus.shape(None) == Shape()
    assert gpus.ray_labels(Shape()) == {}
