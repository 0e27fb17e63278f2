"""The GPUs that GKE offers: what each has, which machines carry it, how it divides.

Sources: kubernetes/autoscaler cluster-autoscaler/cloudprovider/gce (partition
table), GoogleCloudPlatform/container-engine-accelerators pkg/gpu/nvidia/mig (what the
device plugin refuses), Compute Engine "GPU machine types" of 2026-04-14, Ray's
ray/util/accelerators/accelerators.py. Google writes GB for the machines' memory and
means GiB. Zones: `ray_gke.gke.zones`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

from ray_gke.gke.nodes import Provisioning
from ray_gke.gke.resources import GIB
from ray_gke.gke.zone_lists import ZONES

GB = 10**9
"""GPU memory is sold in these; counting it so never promises too much."""


@dataclass(frozen=True)
class Partition:
    """A MIG size: so many of them make up one GPU, each with its memory."""

    name: str
    per_gpu: int
    memory_bytes: int


@dataclass(frozen=True)
class QuotaNames:
    """Regional quota metrics of a GPU.

    `family` is the value of gpu_family of H100 and newer, which have no metric of
    their own for on-demand nodes.
    """

    on_demand: str | None = None
    spot: str | None = None
    family: str | None = None


@dataclass(frozen=True)
class BuiltIn:
    """A machine type that has GPUs of one kind built in.

    `gpu_fraction` is how much of a GPU each of its devices is; `provisioning` what
    it can be had as, where that is not everything.
    """

    name: str
    vcpus: int
    memory_gib: int
    gpus: int
    gpu_fraction: Fraction = Fraction(1)
    provisioning: tuple[Provisioning, ...] | None = None
    local_ssd_gib: int = 0
    min_gke_version: str | None = None


@dataclass(frozen=True)
class Accelerator:
    """One of GKE's accelerator types.

    `ray_type` is Ray's name of it, `built_in` are the machine types that carry it.
    `n1_vcpus` says for those that are attached to N1 machines which counts there are,
    and how many vCPUs the machine may have for each. `refused_partitions` are sizes
    that NVIDIA's tools know and GKE does not take, with the reason. Where
    `mig_needs_reboot`, a node restarts once to switch MIG on.
    """

    name: str
    model: str
    ray_type: str
    memory_bytes: int
    quota: QuotaNames
    built_in: tuple[BuiltIn, ...] = ()
    n1_vcpus: Mapping[int, int] = field(default_factory=dict)
    partitions: Mapping[str, Partition] = field(default_factory=dict)
    refused_partitions: Mapping[str, str] = field(default_factory=dict)
    min_gke_version: str | None = None
    mig_needs_reboot: bool = False

    @property
    def gpu_counts(self) -> tuple[int, ...]:
        """How many of it a node can have."""
        return tuple(sorted({*self.n1_vcpus, *(one.gpus for one in self.built_in)}))

    @property
    def zones(self) -> tuple[str, ...] | None:
        """Where it is offered, or None where no list of them is known."""
        return ZONES.get(self.name)


def _partitions(
    per_gpu: Mapping[str, int], usable_gib: Mapping[str, str] = MappingProxyType({})
) -> Mapping[str, Partition]:
    """Return partitions with the memory in their name, or what is known as usable."""

    def memory(name: str) -> int:
        if name in usable_gib:
            return int(Fraction(usable_gib[name]) * GIB)
        return int(name.removesuffix("gb").partition(".")[2]) * GB

    return {name: Partition(name, n, memory(name)) for name, n in per_gpu.items()}


def _part(name: str, vcpus: int, memory_gib: int, parts: int) -> BuiltIn:
    """Return a machine type with one part of a GPU (G4)."""
    return BuiltIn(
        name,
        vcpus,
        memory_gib,
        gpus=1,
        gpu_fraction=Fraction(1, parts),
        min_gke_version="1.34.5-gke.1153000",
    )


def _own_metrics(model: str) -> QuotaNames:
    return QuotaNames(f"NVIDIA_{model}_GPUS", f"PREEMPTIBLE_NVIDIA_{model}_GPUS")


def _on_n1(
    name: str, model: str, memory_gb: int, n1_vcpus: Mapping[int, int]
) -> Accelerator:
    """Return a GPU that is attached to N1 machines."""
    quota = _own_metrics(model)
    return Accelerator(name, model, model, memory_gb * GB, quota, n1_vcpus=n1_vcpus)


_RESERVED_OR_SHORT: tuple[Provisioning, ...] = ("reservation", "spot", "flex-start")
_SHORT: tuple[Provisioning, ...] = ("spot", "flex-start")
_NOT_IN_PLUGIN = "GKE's device plugin does not know this size"
_NOT_IN_AUTOSCALER = "GKE's autoscaler does not know this size"
_H100_PARTITIONS = _partitions(
    {"1g.10gb": 7, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1}
)

_ALL = (
    Accelerator(
        "nvidia-tesla-a100",
        "A100 40GB",
        "A100",
        40 * GB,
        _own_metrics("A100"),
        built_in=(
            BuiltIn("a2-highgpu-1g", 12, 85, 1),
            BuiltIn("a2-highgpu-2g", 24, 170, 2),
            BuiltIn("a2-highgpu-4g", 48, 340, 4),
            BuiltIn("a2-highgpu-8g", 96, 680, 8),
            BuiltIn("a2-megagpu-16g", 96, 1360, 16),
        ),
        # Usable memory: NVIDIA's profiles of this GPU.
        partitions=_partitions(
            {"1g.5gb": 7, "2g.10gb": 3, "3g.20gb": 2, "7g.40gb": 1},
            {"1g.5gb": "4.75", "2g.10gb": "9.75", "3g.20gb": "19.6", "7g.40gb": "39.5"},
        ),
        refused_partitions={
            "1g.10gb": "GKE takes this name for a size of the A100 80GB, "
            "7 of which do not fit on an A100 40GB",
            "4g.20gb": _NOT_IN_PLUGIN,
            "1g.5gb+me": "GKE has no partitions with media extensions",
        },
        mig_needs_reboot=True,
    ),
    Accelerator(
        "nvidia-a100-80gb",
        "A100 80GB",
        "A100",
        80 * GB,
        _own_metrics("A100_80GB"),
        built_in=(
            BuiltIn("a2-ultragpu-1g", 12, 170, 1, local_ssd_gib=375),
            BuiltIn("a2-ultragpu-2g", 24, 340, 2, local_ssd_gib=750),
            BuiltIn("a2-ultragpu-4g", 48, 680, 4, local_ssd_gib=1500),
            BuiltIn("a2-ultragpu-8g", 96, 1360, 8, local_ssd_gib=3000),
        ),
        partitions=_partitions(
            {"1g.10gb": 7, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1}
        ),
        refused_partitions={
            "4g.40gb": _NOT_IN_PLUGIN,
            "1g.20gb": "GKE's autoscaler knows this size on H100 only",
        },
        mig_needs_reboot=True,
    ),
    Accelerator(
        "nvidia-h100-80gb",
        "H100 80GB",
        "H100",
        80 * GB,
        QuotaNames(spot="PREEMPTIBLE_NVIDIA_H100_GPUS", family="NVIDIA_H100"),
        built_in=(
            BuiltIn("a3-highgpu-1g", 26, 234, 1, provisioning=_SHORT),
            BuiltIn("a3-highgpu-2g", 52, 468, 2, provisioning=_SHORT),
            BuiltIn("a3-highgpu-4g", 104, 936, 4, provisioning=_SHORT),
            BuiltIn("a3-highgpu-8g", 208, 1872, 8),
            BuiltIn("a3-edgegpu-8g", 208, 1872, 8),
        ),
        partitions=_H100_PARTITIONS,
        refused_partitions={"4g.40gb": _NOT_IN_PLUGIN},
    ),
    Accelerator(
        "nvidia-h100-mega-80gb",
        "H100 MEGA 80GB",
        "H100",
        80 * GB,
        QuotaNames(family="NVIDIA_H100_MEGA"),
        built_in=(BuiltIn("a3-megagpu-8g", 208, 1872, 8),),
        partitions=_H100_PARTITIONS,
        refused_partitions={"4g.40gb": _NOT_IN_PLUGIN},
    ),
    Accelerator(
        "nvidia-h200-141gb",
        "H200 141GB",
        "H200",
        141 * GB,
        QuotaNames(family="NVIDIA_H200"),
        built_in=(
            BuiltIn("a3-ultragpu-8g", 224, 2952, 8, provisioning=_RESERVED_OR_SHORT),
        ),
        partitions=_partitions(
            {"1g.18gb": 7, "1g.35gb": 4, "2g.35gb": 3, "3g.71gb": 2, "7g.141gb": 1}
        ),
        refused_partitions={"4g.71gb": _NOT_IN_AUTOSCALER},
    ),
    Accelerator(
        "nvidia-b200",
        "B200",
        "B200",
        180 * GB,
        QuotaNames(family="NVIDIA_B200"),
        built_in=(
            BuiltIn("a4-highgpu-8g", 224, 3968, 8, provisioning=_RESERVED_OR_SHORT),
        ),
        partitions=_partitions(
            {"1g.23gb": 7, "1g.45gb": 4, "2g.45gb": 3, "3g.90gb": 2, "7g.180gb": 1}
        ),
        refused_partitions={"4g.90gb": _NOT_IN_AUTOSCALER},
    ),
    Accelerator(
        "nvidia-gb200",
        "GB200",
        "GB200",
        186 * GB,
        QuotaNames(),
        built_in=(BuiltIn("a4x-highgpu-4g", 140, 884, 4),),
        partitions=_partitions(
            {"1g.23gb": 7, "1g.47gb": 4, "2g.47gb": 3, "3g.93gb": 2, "7g.186gb": 1}
        ),
        refused_partitions={"4g.93gb": _NOT_IN_AUTOSCALER},
    ),
    Accelerator(
        "nvidia-gb300",
        "GB300",
        "GB300",
        # Four have 1,116 GB.
        279 * GB,
        QuotaNames(),
        built_in=(BuiltIn("a4x-maxgpu-4g-metal", 144, 960, 4),),
    ),
    Accelerator(
        "nvidia-l4",
        "L4",
        "L4",
        24 * GB,
        _own_metrics("L4"),
        built_in=(
            BuiltIn("g2-standard-4", 4, 16, 1),
            BuiltIn("g2-standard-8", 8, 32, 1),
            BuiltIn("g2-standard-12", 12, 48, 1),
            BuiltIn("g2-standard-16", 16, 64, 1),
            BuiltIn("g2-standard-24", 24, 96, 2),
            BuiltIn("g2-standard-32", 32, 128, 1),
            BuiltIn("g2-standard-48", 48, 192, 4),
            BuiltIn("g2-standard-96", 96, 384, 8),
        ),
    ),
    Accelerator(
        "nvidia-rtx-pro-6000",
        "RTX PRO 6000",
        "RTX-PRO-6000",
        96 * GB,
        QuotaNames(family="NVIDIA_RTX_PRO_6000"),
        built_in=(
            _part("g4-standard-6", 6, 22, 8),
            _part("g4-standard-12", 12, 45, 4),
            _part("g4-standard-24", 24, 90, 2),
            BuiltIn("g4-standard-48", 48, 180, 1),
            BuiltIn("g4-standard-96", 96, 360, 2),
            BuiltIn("g4-standard-192", 192, 720, 4),
            BuiltIn("g4-standard-384", 384, 1440, 8),
        ),
        partitions=_partitions({"1g.24gb": 4, "2g.48gb": 2, "4g.96gb": 1}),
        min_gke_version="1.34.0-gke.1662000",
    ),
    _on_n1("nvidia-tesla-t4", "T4", 16, {1: 48, 2: 48, 4: 96}),
    _on_n1("nvidia-tesla-v100", "V100", 16, {1: 12, 2: 24, 4: 48, 8: 96}),
    # In some zones only 64 vCPUs for 4 of them.
    _on_n1("nvidia-tesla-p100", "P100", 16, {1: 16, 2: 32, 4: 96}),
    _on_n1("nvidia-tesla-p4", "P4", 8, {1: 24, 2: 48, 4: 96}),
)

ACCELERATORS: Mapping[str, Accelerator] = {one.name: one for one in _ALL}
