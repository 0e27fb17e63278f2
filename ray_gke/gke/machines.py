"""The machines that Ray-gke plans with, and the GPUs that a node of each has.

Sources: Compute Engine "GPU machine types" of 2026-04-14 (by accelerator, in
`ray_gke.gke.accelerators`), "General-purpose machine family" (E2, N1, N2), and
kubernetes/autoscaler gce_price_info.go of 2026-06-23 (which sizes there are).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from ray_gke.gke.accelerators import ACCELERATORS, Accelerator
from ray_gke.gke.nodes import Provisioning
from ray_gke.gke.resources import GIB


@dataclass(frozen=True)
class MachineType:
    """A machine type. `accelerator` and `gpus` are those that are built in.

    `gpu_fraction` is how much of a GPU each of them is. `provisioning` is what it can
    be had as, None for everything.
    """

    name: str
    vcpus: int
    memory_bytes: int
    accelerator: str | None = None
    gpus: int = 0
    gpu_fraction: Fraction = Fraction(1)
    provisioning: tuple[Provisioning, ...] | None = None
    local_ssd_gib: int = 0
    min_gke_version: str | None = None

    @property
    def family(self) -> str:
        """The series it is of, such as a2."""
        return self.name.partition("-")[0]

    @property
    def divisible(self) -> bool:
        """Whether its GPUs can be partitioned or shared; parts of one cannot."""
        return self.gpu_fraction == 1


@dataclass(frozen=True)
class Machine:
    """A machine type, with all the GPUs of one node."""

    type: MachineType
    accelerator: Accelerator | None
    gpus: int

    @property
    def attached(self) -> int:
        """How many of the GPUs are not built in."""
        return self.gpus - self.type.gpus


@dataclass(frozen=True)
class _Series:
    """Machine types with the same memory for each vCPU, in hundredths of a GiB."""

    name: str
    gib_hundredths: int
    vcpus: tuple[int, ...]

    def machine_types(self) -> Iterator[MachineType]:
        for vcpus in self.vcpus:
            memory = vcpus * self.gib_hundredths * GIB // 100
            yield MachineType(f"{self.name}-{vcpus}", vcpus, memory)


_N1_SIZES = (2, 4, 8, 16, 32, 64, 96)
_N1 = (
    _Series("n1-standard", 375, (1, *_N1_SIZES)),
    _Series("n1-highmem", 650, _N1_SIZES),
    _Series("n1-highcpu", 90, _N1_SIZES),
)
_CPU = (
    _Series("e2-standard", 400, (2, 4, 8, 16, 32)),
    _Series("e2-highmem", 800, (2, 4, 8, 16)),
    _Series("n2-standard", 400, (2, 4, 8, 16, 32, 48, 64, 80, 96, 128)),
    _Series("n2-highmem", 800, (2, 4, 8, 16, 32, 48, 64, 80, 96)),
    # The largest has less memory for each vCPU: 864 GiB.
    _Series("n2-highmem", 675, (128,)),
)


def _built_in() -> Iterator[MachineType]:
    for accelerator in ACCELERATORS.values():
        for one in accelerator.built_in:
            yield MachineType(
                one.name,
                one.vcpus,
                one.memory_gib * GIB,
                accelerator.name,
                one.gpus,
                one.gpu_fraction,
                one.provisioning,
                one.local_ssd_gib,
                one.min_gke_version or accelerator.min_gke_version,
            )


def _of(series: tuple[_Series, ...]) -> tuple[MachineType, ...]:
    return tuple(each for one in series for each in one.machine_types())


_ATTACHING = _of(_N1)
_WITHOUT_GPUS = _of(_CPU)

MACHINE_TYPES: Mapping[str, MachineType] = {
    one.name: one for one in (*_built_in(), *_ATTACHING, *_WITHOUT_GPUS)
}


@cache
def machines(accelerator: str | None) -> tuple[Machine, ...]:
    """Return every machine that carries the accelerator; for None, those without.

    N1 machines come once for each number of GPUs that they may have.
    """
    if accelerator is None:
        return tuple(Machine(one, None, 0) for one in (*_WITHOUT_GPUS, *_ATTACHING))
    gpu = ACCELERATORS[accelerator]
    built_in = (MACHINE_TYPES[one.name] for one in gpu.built_in)
    return (
        *(Machine(one, gpu, one.gpus) for one in built_in),
        *(
            Machine(one, gpu, count)
            for count, most_vcpus in sorted(gpu.n1_vcpus.items())
            for one in _ATTACHING
            if one.vcpus <= most_vcpus
        ),
    )


def machine(machine_type: str, accelerator: str | None, gpus: int) -> Machine:
    """Return one of `machines`. Raises KeyError when there is none like this."""
    for found in machines(accelerator):
        if (found.type.name, found.gpus) == (machine_type, gpus):
            return found
    raise KeyError(machine_type)
