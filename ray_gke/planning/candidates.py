"""The shapes and machines on which a group's pods could run, and how they compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ray_gke.catalog.quantities import number
from ray_gke.gke.allocatable import PODS_PER_NODE
from ray_gke.gke.machines import Machine
from ray_gke.gke.nodes import Provisioning, Shape, SharingStrategy
from ray_gke.gke.prices import Prices
from ray_gke.gke.sharing import MAX_CLIENTS, MIN_CLIENTS, STRATEGIES, Isolation
from ray_gke.planning.divisions import Division, available
from ray_gke.planning.need import Need

_ISOLATION: tuple[Isolation, ...] = ("hardware", "software", "none")
"""From the strictest on."""

Cost = Decimal | tuple[int, int, int]
"""A price per hour; where it is not known GPU memory, vCPUs and memory instead."""


@dataclass(frozen=True)
class Candidate:
    """Nodes of one shape and machine type that would carry a group.

    `devices` is what a node offers as nvidia.com/gpu, `slots` how many of the group's
    pods it holds, `limit` what binds: cpu, memory, nvidia.com/gpu or pods. `price` is
    per node and hour, None when it is not known.
    """

    shape: Shape
    machine: Machine
    devices: int
    slots: int
    limit: str
    price: Decimal | None
    nodes_at_minimum: int
    nodes_at_maximum: int


class Fit(NamedTuple):
    """A candidate in the making, in the order of what is better.

    `rank` counts from hardware isolation on, and only where the group leaves it open.
    """

    unpriced: bool
    at_maximum: Cost
    at_minimum: Cost
    rank: int
    clients: int
    nodes_at_maximum: int
    machine_type: str
    accelerator: str
    partition: str
    provisioning: Provisioning
    gpus: int
    strategy: SharingStrategy | None
    slots: int
    division: Division

    @property
    def kind(self) -> tuple[str, str, str | None, str]:
        """What makes two fits the same kind of shape."""
        return self.accelerator, self.partition, self.strategy, self.provisioning


class Way(NamedTuple):
    """One way to share the units of a division: with so many clients of each."""

    strategy: SharingStrategy | None
    clients: int
    slots: int
    rank: int


def fits(need: Need, divisions: list[Division], prices: Prices) -> Iterator[Fit]:
    """Yield every fit of `need`; of the client numbers of a share only the best."""
    most = max(need.max_replicas, 1)
    for division in divisions:
        room = division.room(need.pod)
        ways = list(_ways(need, division, room)) if room else []
        for kind in dict.fromkeys(need.provisioning) if ways else ():
            if not available(division.machine, kind):
                continue
            rate = price(division.machine, kind, prices)
            for way in ways:
                at_maximum = -(-most // way.slots)
                yield _fit(
                    division,
                    kind,
                    way,
                    rate,
                    (at_maximum, -(-need.min_replicas // way.slots)),
                )


def _fit(
    division: Division,
    kind: Provisioning,
    way: Way,
    rate: Decimal | None,
    nodes: tuple[int, int],
) -> Fit:
    machine = division.machine
    return Fit(
        rate is None,
        _cost(rate, nodes[0], division.size),
        _cost(rate, nodes[1], division.size),
        way.rank,
        way.clients,
        nodes[0],
        machine.type.name,
        machine.accelerator.name if machine.accelerator else "",
        division.partition or "",
        kind,
        machine.gpus,
        way.strategy,
        way.slots,
        division,
    )


def price(machine: Machine, kind: Provisioning, prices: Prices) -> Decimal | None:
    """Return a node's price per hour; all but Spot counts as on-demand."""
    name = machine.accelerator.name if machine.accelerator else None
    return prices.of(machine.type.name, name, machine.attached, spot=kind == "spot")


def _cost(rate: Decimal | None, nodes: int, size: tuple[int, int, int]) -> Cost:
    if rate is not None:
        return rate * nodes
    return (size[0] * nodes, size[1] * nodes, size[2] * nodes)


def _ways(need: Need, division: Division, room: int) -> Iterator[Way]:
    gpu = need.gpu
    if gpu is None:
        yield Way(None, 0, room, 0)
    elif gpu.memory:
        yield from _by_need(need, division, room)
    else:
        clients = gpu.sharing.max_shared_clients_per_gpu if gpu.sharing else 0
        slots = min(room, division.units * (clients or 1) // gpu.count)
        if slots:
            yield Way(gpu.sharing.strategy if gpu.sharing else None, clients, slots, 0)


def _by_need(need: Need, division: Division, room: int) -> Iterator[Way]:
    """Whole units, and shares if these are isolated enough and hold the memory."""
    assert need.gpu is not None
    assert need.gpu.memory is not None
    slots = min(room, division.units // need.gpu.count)
    if slots:
        yield Way(None, 0, slots, 0)
    allowed = _ISOLATION.index(need.gpu.isolation or "hardware")
    if not allowed or need.gpu.count > 1 or not division.machine.type.divisible:
        return
    most = min(MAX_CLIENTS, int(division.unit_memory // number(need.gpu.memory)))
    if most >= MIN_CLIENTS:
        for clients, shares in _shares(need, division.units, room, most):
            for strategy, facts in STRATEGIES.items():
                rank = _ISOLATION.index(facts.isolation)
                if rank <= allowed:
                    yield Way(strategy, clients, shares, rank)


def _shares(need: Need, units: int, room: int, most: int) -> Iterator[tuple[int, int]]:
    """Yield the client numbers that can be best, each with the slots it gives.

    More clients never need more nodes. So the best number is the smallest that needs
    as few nodes as the largest does, first at maximum, then at minimum; the smallest
    of all is yielded besides because of machines that cost nothing.
    """
    slots = min(room, units * most)
    replicas = (max(need.max_replicas, 1), need.min_replicas)
    nodes = [-(-wanted // slots) for wanted in replicas]
    enough = max(
        -(-wanted // count)
        for wanted, count in zip(replicas, nodes, strict=True)
        if count
    )
    fewest = max(MIN_CLIENTS, -(-enough // units))
    for clients in {MIN_CLIENTS, fewest}:
        yield clients, min(room, units * clients)


def candidate(fit: Fit, need: Need, prices: Prices) -> Candidate:
    """Return a fit as the plan shows it."""
    division = fit.division
    gpu = division.machine.accelerator
    return Candidate(
        shape=Shape(
            gpu.name if gpu else None,
            division.partition,
            fit.strategy,
            fit.clients or None,
            fit.provisioning,
            need.reservation if fit.provisioning == "reservation" else None,
            need.queued_provisioning,
        ),
        machine=division.machine,
        devices=(devices := division.units * (fit.clients or 1)),
        slots=fit.slots,
        limit=_limit(need, division, devices),
        price=price(division.machine, fit.provisioning, prices),
        nodes_at_minimum=-(-need.min_replicas // fit.slots),
        nodes_at_maximum=fit.nodes_at_maximum,
    )


def _limit(need: Need, division: Division, devices: int) -> str:
    """Name what runs out first; of two at once the GPU, which is what is paid for."""
    room: dict[str, int] = {}
    if need.gpu:
        room["nvidia.com/gpu"] = devices // need.gpu.count
    room["cpu"] = division.usable.cpu_millis // need.pod.cpu_millis
    room["memory"] = division.usable.memory_bytes // need.pod.memory_bytes
    room["pods"] = PODS_PER_NODE
    return min(room, key=lambda name: room[name])
