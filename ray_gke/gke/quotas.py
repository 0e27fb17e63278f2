"""Which quotas of Google Cloud a node counts against, and with how much.

Sources: Compute Engine "Allocation quotas" and the API's Quota.metric, cloudquotas'
GPUS-PER-GPU-FAMILY-per-project-region (H100 and newer have no metric of their own),
Dataproc Serverless "Use Dynamic Workload Scheduler" (flex-start takes preemptible
quota, such as PREEMPTIBLE_NVIDIA_L4_GPUS). Whether Spot nodes count against
GPUS_ALL_REGIONS, Google's documents do not agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ray_gke.gke.machines import Machine, MachineType
from ray_gke.gke.nodes import Provisioning

PREEMPTIBLE: frozenset[Provisioning] = frozenset({"spot", "flex-start"})
_CPUS = {"a2": "A2_CPUS", "n2": "N2_CPUS"}
"""Families of machines whose CPUs have a quota of their own."""

GPU_FAMILY = "GPUS-PER-GPU-FAMILY-per-project-region"


@dataclass(frozen=True)
class Metric:
    """A quota: of one region, or `global_`.

    `certain` is False where it is not known whether it binds.
    """

    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    global_: bool = False
    unit: str = ""
    certain: bool = True


def per_node(
    machine: Machine, provisioning: Provisioning, boot_disk_gib: int
) -> dict[Metric, int]:
    """Return what one node takes of each quota that it counts against."""
    preemptible = provisioning in PREEMPTIBLE
    counted = {
        **dict(_gpus(machine, preemptible=preemptible)),
        **dict(_cpus(machine.type, preemptible=preemptible)),
        Metric("SSD_TOTAL_GB", unit="GB"): boot_disk_gib,
        _local_ssd(preemptible=preemptible): machine.type.local_ssd_gib,
    }
    return {metric: amount for metric, amount in counted.items() if amount}


def _gpus(machine: Machine, *, preemptible: bool) -> Iterator[tuple[Metric, int]]:
    if machine.accelerator is None:
        return
    names = machine.accelerator.quota
    own = names.spot if preemptible else names.on_demand
    if own:
        yield Metric(own, unit="GPUs"), machine.gpus
    else:
        family = (("gpu_family", names.family),) if names.family else ()
        certain = bool(family) and not preemptible and machine.type.divisible
        yield Metric(GPU_FAMILY, family, unit="GPUs", certain=certain), machine.gpus
    everywhere = Metric(
        "GPUS_ALL_REGIONS", global_=True, unit="GPUs", certain=not preemptible
    )
    yield everywhere, machine.gpus


def _cpus(
    machine_type: MachineType, *, preemptible: bool
) -> Iterator[tuple[Metric, int]]:
    own = _CPUS.get(machine_type.family, "CPUS")
    name = "PREEMPTIBLE_CPUS" if preemptible else own
    yield Metric(name, unit="CPUs"), machine_type.vcpus
    yield Metric("CPUS_ALL_REGIONS", global_=True, unit="CPUs"), machine_type.vcpus


def _local_ssd(*, preemptible: bool) -> Metric:
    name = "PREEMPTIBLE_LOCAL_SSD_GB" if preemptible else "LOCAL_SSD_TOTAL_GB"
    return Metric(name, unit="GB")
