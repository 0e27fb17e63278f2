"""The shapes and machines on which a group's pods could run, and how they compare."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, get_args

from ray_gke.catalog.quantities import number
from ray_gke.gke.machines import Machine
from ray_gke.gke.nodes import Provisioning, Shape, SharingStrategy
from ray_gke.gke.prices import Prices
from ray_gke.gke.sharing import MAX_CLIENTS, MIN_CLIENTS, isolating
from ray_gke.planning.divisions import Division, available
from ray_gke.planning.need import Need

_MILLIONTH = Decimal("0.000001")

_KINDS: tuple[Provisioning, ...] = get_args(Provisioning)
"""In their order where the price is the same: flex-start has standard's."""

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

    `rank` counts from hardware isolation on, and only where the group leaves it open;
    `kind` is a place among GKE's kinds of provisioning.
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
    kind: int
    gpus: int
    strategy: SharingStrategy | None
    slots: int
    division: Division

    @property
    def provisioning(self) -> Provisioning:
        """What the nodes are bought as."""
        return _KINDS[self.kind]


class Found(NamedTuple):
    """The best fits of different kinds of shape, in order, and how many there are."""

    best: list[Fit]
    priced: int
    unpriced: int


class _Way(NamedTuple):
    """With so many clients of each unit: slots of a node, and nodes that it takes."""

    clients: int
    slots: int
    at_maximum: int
    at_minimum: int


class _Sharing(NamedTuple):
    """Strategies that share alike, each with its rank, and their ways by division."""

    strategies: Sequence[tuple[SharingStrategy | None, int]]
    ways: Sequence[_Way | None]


_Bid = tuple[int, Division, Decimal | None]
"""A division, its place among those of its group, and its price per hour."""


def search(
    need: Need, groups: list[list[Division]], prices: Prices, *, most: int
) -> Found:
    """Return the best fits of `need`, at most `most`, on divisions that it allows.

    Those of one group have accelerator and partition in common.
    """
    best: list[Fit] = []
    counts = {False: 0, True: 0}
    for group in groups:
        room = [each.room(need.pod, need.pods_per_node) for each in group]
        sharings = list(_sharings(need, group, room)) if any(room) else []
        for kind in dict.fromkeys(need.provisioning) if sharings else ():
            bids = _bids(group, kind, prices)
            for strategies, ways in sharings:
                for place, _, rate in bids:
                    counts[rate is None] += len(strategies) * (ways[place] is not None)
                cheapest = _cheapest(bids, ways)
                if cheapest:
                    best += [_fit(cheapest, kind, *each) for each in strategies]
    return Found(heapq.nsmallest(most, best), counts[False], counts[True])


def _bids(group: list[Division], kind: Provisioning, prices: Prices) -> list[_Bid]:
    return [
        (place, division, price(division.machine, kind, prices))
        for place, division in enumerate(group)
        if available(division.machine, kind)
    ]


def _cheapest(
    bids: list[_Bid], ways: Sequence[_Way | None]
) -> tuple[Division, _Way, Decimal | None] | None:
    best, least = None, None
    for place, division, rate in bids:
        way = ways[place]
        if way is None:
            continue
        cost = _cost(rate, way.at_maximum, division.size)
        # Most are worse already here.
        if least is None or (rate is None, cost) <= least[:2]:
            at_minimum = _cost(rate, way.at_minimum, division.size)
            machine = division.machine
            last = way.clients, way.at_maximum, machine.type.name, machine.gpus
            order = (rate is None, cost, at_minimum, *last)
            if least is None or order < least:
                best, least = (division, way, rate), order
    return best


def _fit(
    cheapest: tuple[Division, _Way, Decimal | None],
    kind: Provisioning,
    strategy: SharingStrategy | None,
    rank: int,
) -> Fit:
    division, way, rate = cheapest
    machine = division.machine
    return Fit(
        rate is None,
        _cost(rate, way.at_maximum, division.size),
        _cost(rate, way.at_minimum, division.size),
        rank,
        way.clients,
        way.at_maximum,
        machine.type.name,
        machine.accelerator.name if machine.accelerator else "",
        division.partition or "",
        _KINDS.index(kind),
        machine.gpus,
        strategy,
        way.slots,
        division,
    )


def price(machine: Machine, kind: Provisioning, prices: Prices) -> Decimal | None:
    """Return a node's price per hour; all but Spot counts as on-demand."""
    name = machine.accelerator.name if machine.accelerator else None
    return prices.of(machine.type.name, name, machine.attached, spot=kind == "spot")


def price_per_slot(price: Decimal | None, slots: int) -> Decimal | None:
    """Return what a slot of a node costs, to a millionth."""
    return None if price is None else (price / slots).quantize(_MILLIONTH)


def _cost(rate: Decimal | None, nodes: int, size: tuple[int, int, int]) -> Cost:
    if rate is not None:
        return rate * nodes
    return (size[0] * nodes, size[1] * nodes, size[2] * nodes)


def _sharings(need: Need, group: list[Division], room: list[int]) -> Iterator[_Sharing]:
    gpu, places = need.gpu, list(zip(group, room, strict=True))
    clients = gpu.sharing.max_shared_clients_per_gpu if gpu and gpu.sharing else 0
    strategy = gpu.sharing.strategy if gpu and gpu.sharing else None
    yield _Sharing(
        [(strategy, 0)], [_named(need, each, most, clients) for each, most in places]
    )
    strategies = list(_strategies(need))
    if strategies:
        memory = number(gpu.memory) if gpu and gpu.memory else 1
        ways = [
            _shares(need, each, most, int(each.unit_memory // memory))
            for each, most in places
        ]
        yield _Sharing(strategies, ways)


def _named(need: Need, division: Division, room: int, clients: int) -> _Way | None:
    """Whole units, or as many clients as the group says."""
    slots = room
    if need.gpu:
        slots = min(room, division.units * (clients or 1) // need.gpu.count)
    return _way(need, clients, slots) if slots else None


def _strategies(need: Need) -> Iterator[tuple[SharingStrategy, int]]:
    """Yield what is isolated enough for a group that says only what it needs."""
    if need.gpu and need.gpu.memory and need.gpu.count == 1:
        yield from isolating(need.gpu.isolation or "hardware")


def _shares(need: Need, division: Division, room: int, clients: int) -> _Way | None:
    """Return the best number of clients, of at most `clients`.

    More clients never need more nodes. So the best number is the smallest that needs
    as few nodes as the largest does, first at maximum, then at minimum. Where nodes
    cost nothing a GPU that is not shared is better in any case.
    """
    clients, units = min(MAX_CLIENTS, clients), division.units
    if not room or clients < MIN_CLIENTS or not division.machine.type.divisible:
        return None
    most = _way(need, clients, min(room, units * clients))
    enough = -(-max(need.max_replicas, 1) // most.at_maximum)
    if most.at_minimum:
        enough = max(enough, -(-need.min_replicas // most.at_minimum))
    fewest = max(MIN_CLIENTS, -(-enough // units))
    return _way(need, fewest, min(room, units * fewest))


def _way(need: Need, clients: int, slots: int) -> _Way:
    nodes = -(-max(need.max_replicas, 1) // slots)
    return _Way(clients, slots, nodes, -(-need.min_replicas // slots))


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
    room["pods"] = need.pods_per_node
    return min(room, key=lambda name: room[name])
