"""`ray_gke.gke` against the tests' own figures, in both directions."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from ray_gke.gke import nodes
from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.allocatable import (
    EVICTION_BYTES,
    allocatable,
    image_streaming_bytes,
    kernel_bytes,
    kube_bytes,
    usable,
)
from ray_gke.gke.machines import MACHINE_TYPES, Machine, machine, machines
from ray_gke.gke.nodes import Provisioning, Shape
from ray_gke.gke.quotas import Metric, per_node
from ray_gke.gke.resources import GIB
from ray_gke.gke.sharing import MAX_CLIENTS, MIN_CLIENTS, STRATEGIES
from ray_gke.gke.zones import offered, region_of

FACTS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "facts" / "gke.yaml").read_text(encoding="utf-8")
)
GPUS: dict[str, dict[str, Any]] = FACTS["accelerators"]
BUILT_IN = {
    name: (gpu, machine)
    for gpu, facts in GPUS.items()
    for name, machine in facts.get("machine_types", {}).items()
}


def test_the_same_accelerators() -> None:
    assert set(ACCELERATORS) == set(GPUS)
    assert all(name == one.name for name, one in ACCELERATORS.items())


@pytest.mark.parametrize("name", GPUS)
def test_an_accelerator(name: str) -> None:
    facts, ours = GPUS[name], ACCELERATORS[name]
    assert list(ours.gpu_counts) == facts["gpu_counts"]
    assert ours.n1_vcpus == facts.get("n1_max_vcpu_by_count", {})
    if "memory_gb" in facts:
        assert ours.memory_bytes == facts["memory_gb"] * 10**9
    assert set(facts.get("mig_rejected_by_gke", ())) <= set(ours.refused_partitions)
    assert not set(ours.refused_partitions) & set(ours.partitions)


@pytest.mark.parametrize("name", GPUS)
def test_partitions(name: str) -> None:
    facts, ours = GPUS[name]["mig_partitions"], ACCELERATORS[name].partitions
    assert {p: one.per_gpu for p, one in ours.items()} == {
        p: one["max_per_gpu"] for p, one in facts.items()
    }
    for partition, one in ours.items():
        usable_gib = facts[partition].get("approx_memory_gib")
        nominal = int(partition.split(".")[1].removesuffix("gb")) * 10**9
        expected = int(Fraction(str(usable_gib)) * GIB) if usable_gib else nominal
        assert (one.name, one.memory_bytes) == (partition, expected)
        # All of them fit on the GPU, within what vendors round.
        assert one.memory_bytes * one.per_gpu <= ACCELERATORS[name].memory_bytes * 1.07


@pytest.mark.parametrize("name", GPUS)
def test_quota_names(name: str) -> None:
    facts, ours = GPUS[name].get("quota", {}), ACCELERATORS[name].quota
    assert (ours.on_demand, ours.spot, ours.family) == (
        facts.get("on_demand"),
        facts.get("spot"),
        facts.get("gpu_family"),
    )


def test_the_same_machines_with_gpus() -> None:
    ours = {name for name, one in MACHINE_TYPES.items() if one.gpus}
    assert ours == set(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_machine_with_gpus(name: str) -> None:
    gpu, facts = BUILT_IN[name]
    ours = MACHINE_TYPES[name]
    assert (ours.vcpus, ours.memory_bytes) == (facts["vcpu"], facts["memory_gib"] * GIB)
    assert (ours.accelerator, ours.gpus) == (gpu, facts["gpus"])
    assert ours.local_ssd_gib == facts.get("local_ssd_gib", 0)
    assert ours.gpu_fraction == Fraction(facts.get("gpu_fraction", 1))
    assert ours.divisible == facts.get("mig", True) == facts.get("sharing", True)
    assert list(ours.provisioning or ()) == facts.get("provisioning", [])
    assert ours.family == name.split("-", maxsplit=1)[0]


@pytest.mark.parametrize("name", GPUS)
def test_machines_that_carry_a_gpu(name: str) -> None:
    facts = GPUS[name]
    limits = facts.get("n1_max_vcpu_by_count", {})
    carried = machines(name)
    assert {(one.type.name, one.gpus) for one in carried if one.type.gpus} == {
        (machine_type, one["gpus"])
        for machine_type, one in facts.get("machine_types", {}).items()
    }
    attached = [one for one in carried if one.attached]
    assert all(one.attached == one.gpus for one in attached)
    assert {(one.type.name, one.gpus) for one in attached} == {
        (machine_type, count)
        for count, most in limits.items()
        for machine_type in MACHINE_TYPES
        if machine_type.startswith("n1-")
        and int(machine_type.rpartition("-")[2]) <= most
    }


def test_machines_without_gpus() -> None:
    names = [one.type.name for one in machines(None)]
    assert names == [
        *(f"e2-standard-{n}" for n in (2, 4, 8, 16, 32)),
        *(f"e2-highmem-{n}" for n in (2, 4, 8, 16)),
        *(f"n2-standard-{n}" for n in (2, 4, 8, 16, 32, 48, 64, 80, 96, 128)),
        *(f"n2-highmem-{n}" for n in (2, 4, 8, 16, 32, 48, 64, 80, 96, 128)),
        *(f"n1-standard-{n}" for n in (1, 2, 4, 8, 16, 32, 64, 96)),
        *(f"n1-highmem-{n}" for n in (2, 4, 8, 16, 32, 64, 96)),
        *(f"n1-highcpu-{n}" for n in (2, 4, 8, 16, 32, 64, 96)),
    ]
    assert MACHINE_TYPES["n2-highmem-128"].memory_bytes == 864 * GIB
    assert MACHINE_TYPES["n1-highcpu-16"].memory_bytes == 144 * GIB // 10


def test_a_machine_that_is_none() -> None:
    assert machine("n1-standard-4", "nvidia-tesla-t4", 2).attached == 2
    with pytest.raises(KeyError):
        machine("n1-standard-16", "nvidia-tesla-v100", 1)


@pytest.mark.parametrize("name", FACTS["allocatable"]["examples"])
def test_allocatable(name: str) -> None:
    facts, ours = FACTS["allocatable"]["examples"][name], MACHINE_TYPES[name]
    memory = ours.memory_bytes
    assert allocatable(ours).cpu_millis == facts["cpu_m"]
    assert kube_bytes(memory) / GIB == pytest.approx(facts["memory_reserved_gib"])
    by_formula = memory - kube_bytes(memory) - EVICTION_BYTES
    assert by_formula / GIB == pytest.approx(facts["memory_gib"], abs=0.001)
    conservative = by_formula - kernel_bytes(memory)
    assert conservative / GIB == pytest.approx(facts["conservative_gib"], abs=0.06)
    streaming = image_streaming_bytes(memory)
    assert allocatable(ours).memory_bytes == conservative - streaming


def test_image_streaming() -> None:
    # 1 GiB free; 3 at 1 %, 4 at 0.8 %, 8 at 0.4 %, 69 at 0.24 % of 85 GiB; the last
    # tier, 0.08 %, above 128 GiB.
    assert image_streaming_bytes(GIB) == 0
    assert image_streaming_bytes(85 * GIB) / GIB == pytest.approx(0.2596)
    more = image_streaming_bytes(228 * GIB) - image_streaming_bytes(128 * GIB)
    assert more / GIB == pytest.approx(0.08)


def test_the_systems_pods() -> None:
    node = MACHINE_TYPES["a2-highgpu-1g"]
    left = allocatable(node) - usable(node)
    assert (left.cpu_millis, left.memory_bytes) == (850, 6 * GIB // 10)
    # Seven MIG workers have 1.5 vCPU and 10 GiB each.
    assert usable(node).cpu_millis >= 7 * 1500
    assert usable(node).memory_bytes >= 7 * 10 * GIB


def test_sharing() -> None:
    facts = FACTS["sharing"]
    assert facts["max_shared_clients_per_gpu"] == {
        "min": MIN_CLIENTS,
        "max": MAX_CLIENTS,
    }
    assert {s.terraform: s.label for s in STRATEGIES.values()} == facts["label_value"]
    assert [name for name, s in STRATEGIES.items() if s.host_ipc] == ["mps"]
    assert STRATEGIES["mps"].isolation == "software"
    assert STRATEGIES["time-sharing"].isolation == "none"


def test_labels_that_a_pool_must_set_itself() -> None:
    shape = Shape(
        "nvidia-tesla-a100", "1g.5gb", "mps", 3, "flex-start", queued_provisioning=True
    )
    ours = nodes.labels(shape) | nodes.own_labels(shape)
    by_user = {k for k, v in FACTS["labels"].items() if v["set_by"] == "user"}
    assert set(ours) <= set(FACTS["labels"])
    assert set(nodes.own_labels(shape)) == by_user & set(ours)


def test_taints() -> None:
    known = {(t["key"], t["value"], t["effect"]) for t in FACTS["taints"]}
    ours = nodes.taints(Shape("nvidia-l4", provisioning="spot"))
    assert {(t.key, t.value, t.effect) for t in ours} <= known
    assert len(ours) == 2


@pytest.mark.parametrize("name", GPUS)
def test_zones(name: str) -> None:
    zones = ACCELERATORS[name].zones
    assert sorted(zones or ()) == sorted(FACTS["zones"].get(name, ()))
    assert (zones is None) == (name not in FACTS["zones"])


def test_where_a_gpu_is_offered() -> None:
    assert offered("nvidia-a100-80gb", "us-east5") == ("us-east5-a", "us-east5-b")
    assert offered("nvidia-a100-80gb", "us-west1") == ()
    assert offered("nvidia-l4", "us-west1") is None
    assert offered(None, "us-west1") is None
    assert region_of("us-south1-ai1b") == "us-south1"


FAMILY = "GPUS-PER-GPU-FAMILY-per-project-region"


def _taken(
    machine: Machine, provisioning: Provisioning
) -> dict[str, tuple[int, bool, bool]]:
    """Return amount, whether it is global, and whether it is certain, by name."""
    return {
        metric.name: (amount, metric.global_, metric.certain)
        for metric, amount in per_node(machine, provisioning, 100).items()
    }


def test_quotas_of_an_a100() -> None:
    (node,) = (m for m in machines("nvidia-a100-80gb") if m.gpus == 2)
    assert _taken(node, "standard") == _taken(node, "reservation")
    assert _taken(node, "standard") == {
        "NVIDIA_A100_80GB_GPUS": (2, False, True),
        "GPUS_ALL_REGIONS": (2, True, True),
        "A2_CPUS": (24, False, True),
        "CPUS_ALL_REGIONS": (24, True, True),
        "SSD_TOTAL_GB": (100, False, True),
        "LOCAL_SSD_TOTAL_GB": (750, False, True),
    }
    assert _taken(node, "spot") == _taken(node, "flex-start")
    assert _taken(node, "spot") == {
        "PREEMPTIBLE_NVIDIA_A100_80GB_GPUS": (2, False, True),
        "GPUS_ALL_REGIONS": (2, True, False),
        "PREEMPTIBLE_CPUS": (24, False, True),
        "CPUS_ALL_REGIONS": (24, True, True),
        "SSD_TOTAL_GB": (100, False, True),
        "PREEMPTIBLE_LOCAL_SSD_GB": (750, False, True),
    }


def test_quotas_of_attached_gpus() -> None:
    taken = _taken(machine("n1-standard-8", "nvidia-tesla-t4", 4), "standard")
    assert taken["NVIDIA_T4_GPUS"] == (4, False, True)
    assert taken["CPUS"] == (8, False, True)


def test_quotas_by_family() -> None:
    h100 = machine("a3-highgpu-8g", "nvidia-h100-80gb", 8)
    of_family = {
        m: n for m, n in per_node(h100, "standard", 100).items() if m.dimensions
    }
    family = Metric(FAMILY, (("gpu_family", "NVIDIA_H100"),), unit="GPUs")
    assert of_family == {family: 8}
    assert _taken(h100, "spot")["PREEMPTIBLE_NVIDIA_H100_GPUS"] == (8, False, True)
    # Nobody says which metric these take: the family's, and we say that it is a guess.
    h200 = machine("a3-ultragpu-8g", "nvidia-h200-141gb", 8)
    assert _taken(h200, "spot")[FAMILY] == (8, False, False)
    gb300 = machine("a4x-maxgpu-4g-metal", "nvidia-gb300", 4)
    assert _taken(gb300, "standard")[FAMILY] == (4, False, False)


def test_quotas_without_gpus() -> None:
    assert _taken(machine("e2-standard-4", None, 0), "standard") == {
        "CPUS": (4, False, True),
        "CPUS_ALL_REGIONS": (4, True, True),
        "SSD_TOTAL_GB": (100, False, True),
    }
