"""The ways to divide the GPUs of machines, and which of them a group allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from ray_gke.catalog.gpu import Gpu
from ray_gke.catalog.quantities import number
from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.allocatable import PODS_PER_NODE, usable
from ray_gke.gke.machines import Machine, machines
from ray_gke.gke.nodes import Provisioning
from ray_gke.gke.resources import Resources
from ray_gke.gke.sharing import STRATEGIES
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

    def room(self, pod: Resources, pods_per_node: int = PODS_PER_NODE) -> int:
        """Return how many pods fit a node by all but their GPUs."""
        return min(
            self.usable.cpu_millis // pod.cpu_millis,
            self.usable.memory_bytes // pod.memory_bytes,
            pods_per_node,
        )


@cache
def divisions(accelerator: str | None) -> tuple[Division, ...]:
    """Return every way to divide the GPUs of every machine that carries them."""
    return tuple(
        _division(machine, partition)
        for machine in machines(accelerator)
        for partition in (None, *_partitions(machine))
    )


@cache
def _by_partition(accelerator: str | None) -> Mapping[str | None, tuple[Division, ...]]:
    found: dict[str | None, tuple[Division, ...]] = {}
    for each in divisions(accelerator):
        found[each.partition] = (*found.get(each.partition, ()), each)
    return found


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


def eligible(need: Need, region: str, zones: tuple[str, ...]) -> list[list[Division]]:
    """Return the divisions that `need` allows, whatever fits on them.

    Those of one list have accelerator and partition in common. `zones` are the
    site's, none where GKE chooses; `region` is empty where it does not matter.
    """
    memory = number(need.gpu.memory) if need.gpu and need.gpu.memory else None
    asked = need.gpu.partition if need.gpu else None
    found = (
        [each for each in alike if _allows(need, each, memory)]
        for accelerator in _accelerators(need)
        if _offered(accelerator, need, region, zones)
        for partition, alike in _by_partition(accelerator).items()
        if memory is not None or partition == asked
    )
    return [alike for alike in found if alike]


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
    known = offered(accelerator, region) if region else None
    return known is None or bool(set(zones or known) & set(known))


def available(machine: Machine, kind: Provisioning) -> bool:
    """Return whether the machine can be had as this kind."""
    return machine.type.provisioning is None or kind in machine.type.provisioning


def _allows(need: Need, division: Division, memory: Decimal | None) -> bool:
    node, gpu = division.machine.type, need.gpu
    if need.machine_type and node.name != need.machine_type:
        return False
    if memory is not None and division.unit_memory < memory:
        return False
    if node.provisioning and not set(node.provisioning) & set(need.provisioning):
        return False
    if gpu is None:
        return bool(need.machine_type) or node.family in _CPU_FAMILIES
    if gpu.accelerator is None:
        return True
    # Whoever names a GPU gets a whole one, unless they name the machine too.
    whole = node.divisible or (need.machine_type is not None and not gpu.sharing)
    return whole and _sharable(gpu, division)


def _sharable(gpu: Gpu, division: Division) -> bool:
    """Several shares for one pod there are only where the node has one device."""
    if gpu.sharing is None or gpu.count == 1:
        return True
    several = STRATEGIES[gpu.sharing.strategy].several_on_one_device
    return several and division.units == 1
