"""The ways to divide the GPUs of machines, and which of them a group allows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ray_gke.catalog.gpu import Gpu
from ray_gke.catalog.quantities import number
from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.allocatable import PODS_PER_NODE, usable
from ray_gke.gke.machines import Machine, machines
from ray_gke.gke.nodes import Provisioning
from ray_gke.gke.resources import Resources
from ray_gke.gke.zones import offered, region_of
from ray_gke.planning.need import Need

_CPU_FAMILIES = ("e2", "n2")
"""Families among which the plan chooses for pods without GPUs."""


@dataclass(frozen=True)
class Division:
    """A machine whose GPUs are divided in one way, before any sharing.

    `units` are the whole GPUs or partitions of a node, `unit_memory` the memory of
    each. `size` stands for a price that is not known.
    """

    machine: Machine
    usable: Resources
    partition: str | None
    units: int
    unit_memory: int
    size: tuple[int, int, int]

    def room(self, pod: Resources) -> int:
        """Return how many pods fit a node by all but their GPUs."""
        return min(
            self.usable.cpu_millis // pod.cpu_millis,
            self.usable.memory_bytes // pod.memory_bytes,
            PODS_PER_NODE,
        )


@cache
def divisions(accelerator: str | None) -> tuple[Division, ...]:
    """Return every way to divide the GPUs of every machine that carries them."""
    return tuple(
        _division(machine, partition)
        for machine in machines(accelerator)
        for partition in (None, *_partitions(machine))
    )


def _partitions(machine: Machine) -> tuple[str, ...]:
    if machine.accelerator is None or not machine.type.divisible:
        return ()
    return tuple(machine.accelerator.partitions)


def _division(machine: Machine, partition: str | None) -> Division:
    gpu, node = machine.accelerator, machine.type
    units, memory = machine.gpus, 0
    if gpu:
        memory = int(gpu.memory_bytes * node.gpu_fraction)
    size = (machine.gpus * memory, node.vcpus, node.memory_bytes)
    if gpu and partition:
        units *= gpu.partitions[partition].per_gpu
        memory = gpu.partitions[partition].memory_bytes
    return Division(machine, usable(node), partition, units, memory, size)


def eligible(need: Need, region_zones: tuple[str, tuple[str, ...]]) -> list[Division]:
    """Return the divisions that `need` allows, whatever fits on them.

    `region_zones` is the site's region with its zones, none where GKE chooses.
    """
    return [
        division
        for accelerator in _accelerators(need)
        if _offered(accelerator, need, *region_zones)
        for division in divisions(accelerator)
        if _allows(need, division)
        and any(available(division.machine, kind) for kind in need.provisioning)
    ]


def _accelerators(need: Need) -> tuple[str | None, ...]:
    if need.gpu is None:
        return (None,)
    if need.gpu.accelerator:
        return (need.gpu.accelerator,)
    return tuple(dict.fromkeys(need.gpu.accelerators or ACCELERATORS))


def _offered(
    accelerator: str | None, need: Need, region: str, zones: tuple[str, ...]
) -> bool:
    if need.zones:
        for zone in need.zones:
            known = offered(accelerator, region_of(zone))
            if known is not None and zone not in known:
                return False
        return True
    known = offered(accelerator, region)
    return known is None or bool(set(zones or known) & set(known))


def available(machine: Machine, kind: Provisioning) -> bool:
    """Return whether the machine can be had as this kind."""
    return machine.type.provisioning is None or kind in machine.type.provisioning


def _allows(need: Need, division: Division) -> bool:
    node, gpu = division.machine.type, need.gpu
    if need.machine_type:
        return node.name == need.machine_type and (gpu is None or _suits(gpu, division))
    if gpu is None:
        return node.family in _CPU_FAMILIES
    # Whoever names a GPU gets a whole one, unless they name the machine too.
    whole = node.divisible or gpu.accelerator is None
    return whole and _suits(gpu, division)


def _suits(gpu: Gpu, division: Division) -> bool:
    if gpu.memory:
        return division.unit_memory >= number(gpu.memory)
    if division.partition != gpu.partition:
        return False
    if gpu.sharing is None:
        return True
    several_of_one = gpu.sharing.strategy == "mps" and gpu.count > 1
    return division.machine.type.divisible and (
        division.units == 1 or not several_of_one
    )
