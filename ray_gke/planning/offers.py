"""What GPUs there are to choose from: whole, in partitions, and in shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.nodes import Provisioning, SharingStrategy
from ray_gke.gke.prices import Prices
from ray_gke.gke.sharing import MAX_CLIENTS, MIN_CLIENTS, Isolation, isolating
from ray_gke.gke.zones import offered, region_of
from ray_gke.planning.candidates import price, price_per_slot
from ray_gke.planning.divisions import Division, available, divisions
from ray_gke.planning.pods import WORKER_DEFAULT


@dataclass(frozen=True)
class Wanted:
    """What the user looks for; `memory_bytes` is the least of a slot.

    Slots are counted for pods of the size that a worker gets that does not say it.
    """

    accelerator: str | None = None
    memory_bytes: int = 0
    isolation: Isolation = "hardware"
    region: str | None = None
    zone: str | None = None
    spot: bool = False


@dataclass(frozen=True)
class Offer:
    """One way to get a GPU, or a part of one, on the machine where it is cheapest.

    Of a `gpu_fraction` each device is a part of a GPU.
    `slots` fit on a node; prices are per slot and hour, None when they are not known.
    `provisioning` are the only kinds in which the machine can be had, empty for all.
    `zones` is None where they are not known.
    """

    accelerator: str
    model: str
    gpu_fraction: float
    partition: str | None
    sharing_strategy: SharingStrategy | None
    max_shared_clients_per_gpu: int | None
    memory_bytes: int
    machine_type: str
    gpus: int
    slots: int
    price_per_slot: Decimal | None
    spot_price_per_slot: Decimal | None
    provisioning: tuple[Provisioning, ...]
    zones: tuple[str, ...] | None


def offers(wanted: Wanted, prices: Prices) -> list[Offer]:
    """Return what there is, the cheapest slot first and what has no price last."""
    best: dict[tuple[object, ...], Offer] = {}
    for offer in _all(wanted, prices):
        kind = (
            offer.accelerator,
            offer.gpu_fraction,
            offer.partition,
            offer.sharing_strategy,
        )
        known = best.get(kind)
        if known is None or _order(offer, wanted) < _order(known, wanted):
            best[kind] = offer
    return sorted(best.values(), key=lambda offer: _order(offer, wanted))


def _all(wanted: Wanted, prices: Prices) -> Iterator[Offer]:
    for name in (wanted.accelerator,) if wanted.accelerator else ACCELERATORS:
        if not _there(name, wanted):
            continue
        for division in divisions(name):
            for strategy, clients in _ways(division, wanted):
                offer = _offer(division, strategy, clients, prices)
                if offer and offer.memory_bytes >= wanted.memory_bytes:
                    yield offer


def _there(accelerator: str, wanted: Wanted) -> bool:
    region = region_of(wanted.zone) if wanted.zone else wanted.region
    known = offered(accelerator, region) if region else None
    if known is None:
        return True
    return wanted.zone in known if wanted.zone else bool(known)


def _ways(
    division: Division, wanted: Wanted
) -> Iterator[tuple[SharingStrategy | None, int]]:
    """Yield whole units, and as many shares as still hold the memory."""
    yield None, 1
    if not division.machine.type.divisible:
        return
    most = division.unit_memory // wanted.memory_bytes if wanted.memory_bytes else 0
    clients = min(MAX_CLIENTS, most or MIN_CLIENTS)
    if clients >= MIN_CLIENTS:
        for strategy, _ in isolating(wanted.isolation):
            yield strategy, clients


def _offer(
    division: Division, strategy: SharingStrategy | None, clients: int, prices: Prices
) -> Offer | None:
    machine = division.machine
    slots = min(division.units * clients, division.room(WORKER_DEFAULT))
    if not slots or machine.accelerator is None:
        return None
    on_demand = price(machine, "standard", prices)
    spot = price(machine, "spot", prices)
    return Offer(
        accelerator=machine.accelerator.name,
        model=machine.accelerator.model,
        gpu_fraction=float(machine.type.gpu_fraction),
        partition=division.partition,
        sharing_strategy=strategy,
        max_shared_clients_per_gpu=clients if strategy else None,
        memory_bytes=division.unit_memory // clients,
        machine_type=machine.type.name,
        gpus=machine.gpus,
        slots=slots,
        price_per_slot=price_per_slot(on_demand, slots)
        if available(machine, "standard")
        else None,
        spot_price_per_slot=price_per_slot(spot, slots),
        provisioning=machine.type.provisioning or (),
        zones=machine.accelerator.zones,
    )


def _order(offer: Offer, wanted: Wanted) -> tuple[object, ...]:
    cost = offer.spot_price_per_slot if wanted.spot else offer.price_per_slot
    whole = (offer.gpus, offer.slots, offer.machine_type)
    return (cost is None, cost or 0, *whole, offer.accelerator, offer.partition or "")
