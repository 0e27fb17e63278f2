"""A search for the best nodes that tries everything there is, one after the other.

It shares nothing with `ray_gke` but the price file: machines and limits are the tests'
own, money is whole millionths of a dollar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

TESTS = Path(__file__).parent
GIB, GB, MIB = 2**30, 10**9, 2**20
Kind = Literal["standard", "spot", "flex-start", "reservation"]
KINDS: tuple[Kind, ...] = ("standard", "spot", "flex-start", "reservation")


def _read(*path: str) -> Any:
    return yaml.safe_load(TESTS.joinpath(*path).read_text(encoding="utf-8"))


FACTS, MORE = _read("facts", "gke.yaml"), _read("facts", "choice.yaml")
PRICES = _read("..", "ray_gke", "gke", "prices.yaml")["spec"]
GPUS: dict[str, Any] = FACTS["accelerators"]
ZONES: dict[str, list[str]] = FACTS["zones"]


@dataclass(frozen=True)
class Node:
    """A machine with its GPUs."""

    name: str
    vcpus: int
    gib: Fraction
    accelerator: str
    gpus: int
    attached: int
    fraction: Fraction
    kinds: tuple[str, ...]
    cpu: Fraction
    memory: Fraction

    def rate(self, kind: str) -> int | None:
        which = "spot" if kind == "spot" else "on_demand"
        rate: float | None = PRICES["machine_types"].get(self.name, {}).get(which)
        if rate is None or not self.attached:
            return None if rate is None else round(rate * 10**6)
        gpu: float = PRICES["accelerators"][self.accelerator][which]
        return round(rate * 10**6) + self.attached * round(gpu * 10**6)


def _tiers(memory: Fraction, tiers: list[dict[str, Any]]) -> Fraction:
    taken, lower = Fraction(0), Fraction(0)
    for tier in tiers:
        upper = min(memory, Fraction(tier.get("upto", 10**9)) * GIB)
        taken += max(Fraction(0), upper - lower) * Fraction(str(tier["ratio"]))
        lower = max(lower, upper)
    return taken


def _left(vcpus: int, gib: Fraction) -> tuple[Fraction, Fraction]:
    """What a machine leaves for pods."""
    facts, kernel, memory = FACTS["allocatable"], MORE["kernel"], gib * GIB
    core = facts["cpu_reserved_millicores_per_core"]
    first = [core["core_1"], core["core_2"], *[core["cores_3_4_each"]] * 2]
    cpu = vcpus * 1000 - sum(Fraction(str(one)) for one in first[:vcpus])
    cpu -= max(0, vcpus - 4) * Fraction(str(core["further_each"]))
    memory -= gib * GIB * Fraction(kernel["share"]) + kernel["mib"] * MIB
    memory -= kernel["mib_more_up_to_8_gib"] * MIB if gib <= 8 else 0
    memory += kernel["mib_less_up_to_3_gib"] * MIB if gib <= 3 else 0
    memory -= min(
        gib * GIB * Fraction(kernel["correction"]),
        Fraction(kernel["correction_at_most_mib"] * MIB),
    )
    memory -= _tiers(gib * GIB, facts["memory_reserved_tiers_gib"])
    memory -= _tiers(gib * GIB, MORE["image_streaming_tiers_gib"])
    memory -= facts["memory_eviction_mib"] * MIB
    pods = MORE["system_pods"]
    return cpu - pods["cpu_m"], memory - Fraction(str(pods["memory_gib"])) * GIB


def _sizes(group: str) -> Iterator[tuple[str, int, Fraction]]:
    for series, facts in MORE[group].items():
        for vcpus in facts["vcpus"]:
            yield f"{series}-{vcpus}", vcpus, Fraction(vcpus * facts["per_vcpu"], 100)
        for vcpus, gib in facts.get("gib", {}).items():
            yield f"{series}-{vcpus}", vcpus, Fraction(gib)


@cache
def nodes() -> list[Node]:
    whole, every = Fraction(1), tuple(KINDS)
    found = [
        Node(name, vcpus, gib, "", 0, 0, whole, every, *_left(vcpus, gib))
        for name, vcpus, gib in _sizes("cpu")
    ]
    for gpu, facts in GPUS.items():
        for name, one in facts.get("machine_types", {}).items():
            vcpus, gib = one["vcpu"], Fraction(one["memory_gib"])
            part = Fraction(one.get("gpu_fraction", 1))
            kinds = tuple(one.get("provisioning", every))
            left = _left(vcpus, gib)
            found.append(
                Node(name, vcpus, gib, gpu, one["gpus"], 0, part, kinds, *left)
            )
        for count, most in facts.get("n1_max_vcpu_by_count", {}).items():
            found += [
                Node(name, vcpus, gib, gpu, count, count, whole, every, *left)
                for name, vcpus, gib in _sizes("n1")
                if vcpus <= most
                for left in [_left(vcpus, gib)]
            ]
    return found


@dataclass(frozen=True)
class Request:
    """A request in plain words; `memory` is of each GPU."""

    cpu: int
    ram: int
    kinds: tuple[Kind, ...]
    low: int
    high: int
    machine: str | None = None
    zones: tuple[str, ...] = ()
    region: str = "us-central1"
    site_zones: tuple[str, ...] = ()
    accelerator: str | None = None
    partition: str | None = None
    strategy: str | None = None
    clients: int = 0
    count: int = 0
    memory: int = 0
    isolation: str | None = None
    accelerators: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class Answer:
    """What there is to choose, in the documented order of what is better."""

    unpriced: bool
    at_maximum: tuple[int | Fraction, ...]
    at_minimum: tuple[int | Fraction, ...]
    isolation: int
    clients: int
    nodes_at_maximum: int
    machine: str
    accelerator: str
    partition: str
    kind: int
    gpus: int
    strategy: str
    nodes_at_minimum: int
    slots: int
    devices: int

    @property
    def shape(self) -> tuple[str | int, ...]:
        return self.accelerator, self.partition, self.strategy, self.kind


def _here(request: Request, accelerator: str) -> bool:
    known = ZONES.get(accelerator)
    if known is None:
        return True
    if request.zones:
        return all(zone in known for zone in request.zones)
    here = [zone for zone in known if zone.rpartition("-")[0] == request.region]
    return any(not request.site_zones or zone in request.site_zones for zone in here)


def _units(request: Request, node: Node) -> Iterator[tuple[str, int, Fraction]]:
    """Yield partition ("" for whole GPUs), how many a node has, memory of each."""
    facts = GPUS[node.accelerator]
    nominal = facts.get("memory_gb", MORE["gb300_memory_gb"]) * GB
    found = [("", node.gpus, nominal * node.fraction)]
    if node.fraction == 1:
        for name, one in facts["mig_partitions"].items():
            size = Fraction(int(name.split(".")[1].removesuffix("gb")) * GB)
            if "approx_memory_gib" in one:
                size = Fraction(str(one["approx_memory_gib"])) * GIB
            found.append((name, node.gpus * one["max_per_gpu"], size))
    for partition, units, size in found:
        if request.memory:
            if size >= request.memory:
                yield partition, units, size
        elif partition == (request.partition or ""):
            yield partition, units, size


def _shares(
    request: Request, node: Node, units: int, size: Fraction
) -> Iterator[tuple[str, int, int]]:
    """Yield strategy, clients, and the rank of the isolation."""
    if request.memory:
        yield "", 0, 0
        if node.fraction < 1 or request.count > 1:
            return
        for clients in range(2, 49):
            if size >= request.memory * clients:
                if request.isolation in {"software", "none"}:
                    yield "mps", clients, 1
                if request.isolation == "none":
                    yield "time-sharing", clients, 2
    elif not request.strategy:
        if node.fraction == 1 or request.machine:
            yield "", 0, 0
    elif node.fraction == 1 and (
        request.count == 1 or (request.strategy == "mps" and units == 1)
    ):
        yield request.strategy, request.clients, 0


def _answers(request: Request) -> Iterator[Answer]:
    for node in nodes():
        if bool(node.accelerator) != bool(request.count):
            continue
        if request.machine not in {None, node.name}:
            continue
        if request.accelerator not in {None, node.accelerator}:
            continue
        if request.accelerators and node.accelerator not in request.accelerators:
            continue
        if not _here(request, node.accelerator):
            continue
        room = min(
            int(node.cpu // request.cpu),
            int(node.memory // request.ram),
            MORE["pods_per_node"],
        )
        kinds = [kind for kind in KINDS if kind in {*request.kinds} & {*node.kinds}]
        if room and kinds:
            yield from _on(request, node, room, kinds)


def _on(request: Request, node: Node, room: int, kinds: list[Kind]) -> Iterator[Answer]:
    units: Any = _units(request, node) if request.count else [("", 0, Fraction(0))]
    rates = [(KINDS.index(kind), node.rate(kind)) for kind in kinds]
    for partition, have, size in units:
        gpu = GPUS.get(node.accelerator, {})
        bulk = node.gpus * gpu.get("memory_gb", 279) * node.fraction
        for strategy, clients, rank in (
            _shares(request, node, have, size) if request.count else [("", 0, 0)]
        ):
            devices = have * (clients or 1)
            slots = min(room, devices // request.count) if request.count else room
            if not slots:
                continue
            high, low = -(-max(request.high, 1) // slots), -(-request.low // slots)
            for kind, rate in rates:
                each = (bulk, node.vcpus, node.gib) if rate is None else (rate,)
                yield Answer(
                    rate is None,
                    tuple(one * high for one in each),
                    tuple(one * low for one in each),
                    rank,
                    clients,
                    high,
                    node.name,
                    node.accelerator,
                    partition,
                    kind,
                    node.gpus,
                    strategy,
                    low,
                    slots,
                    devices,
                )


def searched(request: Request) -> list[Answer]:
    """The best of each kind of shape, best first."""
    best: dict[tuple[str | int, ...], Answer] = {}
    for answer in _answers(request):
        known = best.get(answer.shape)
        if known is None or answer < known:
            best[answer.shape] = answer
    return sorted(best.values())
