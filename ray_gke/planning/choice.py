"""The cheapest nodes for a group, and why.

Candidates are all machines on which a pod fits, with their GPUs whole, in partitions
or shared, as each of the kinds of virtual machines that the group allows. The best is
decided by these, the first that differs:

1. with a known price before without;
2. price per hour of the nodes at maximum, which are max_replicas / slots, rounded up;
3. price per hour of the nodes at minimum;
4. by need: isolation in hardware, then MPS, then time-sharing;
5. fewer clients of a share;
6. fewer nodes at maximum;
7. names of machine type, accelerator and partition; provisioning in the order
   standard, spot, flex-start, reservation; fewer GPUs.

Where no price is known, GPU memory, vCPUs and memory of the nodes stand for it.
Flex-start and reservations count as on-demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from ray_gke.catalog.quantities import number
from ray_gke.gke.allocatable import usable
from ray_gke.gke.prices import Prices
from ray_gke.gke.resources import GIB, Resources
from ray_gke.planning.candidates import Candidate, Found, candidate, search
from ray_gke.planning.divisions import eligible
from ray_gke.planning.need import Need
from ray_gke.planning.no_machine import NoMachine, gib, none, too_small
from ray_gke.planning.site import Site

__all__ = ["Candidate", "Choice", "NoMachine", "choose", "share"]

_MOST_RUNNERS_UP = 5


@dataclass(frozen=True)
class Choice:
    """The best candidate, why, and the best of each other kind of shape."""

    best: Candidate
    reason: str
    runners_up: tuple[Candidate, ...] = ()


@dataclass(frozen=True, eq=False)
class _Market:
    """Where to buy. Prices have no hash: these are equal when they are the same."""

    prices: Prices
    region: str
    zones: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Market)
            and self.prices is other.prices
            and (self.region, self.zones) == (other.region, other.zones)
        )

    def __hash__(self) -> int:
        return hash((id(self.prices), self.region, self.zones))


def choose(need: Need, site: Site) -> Choice:
    """Return the cheapest nodes for `need`. Raises NoMachine where there are none."""
    # Elsewhere nobody knows what a region of Google's has.
    where = (site.region, site.zones) if site.target == "gke" else ("", ())
    return _choose(need, _Market(site.prices, *where))


def share(candidate: Candidate) -> Resources:
    """Return an equal share of a node for each slot, in 100m and whole GiB."""
    node = usable(candidate.machine.type)
    return Resources(
        node.cpu_millis // candidate.slots // 100 * 100,
        node.memory_bytes // candidate.slots // GIB * GIB,
    )


@lru_cache(maxsize=4096)
def _choose(need: Need, market: _Market) -> Choice:
    groups = eligible(need, market.region, market.zones)
    found = search(need, groups, market.prices, most=1 + _MOST_RUNNERS_UP)
    if not found.best:
        divisions = [division for group in groups for division in group]
        raise (
            too_small(need, divisions)
            if divisions
            else none(need, market.region, market.zones)
        )
    first, *others = (candidate(fit, need, market.prices) for fit in found.best)
    return Choice(first, f"{_because(need, found)}: {_told(first)}", tuple(others))


def _because(need: Need, found: Found) -> str:
    by_need = need.gpu is not None and need.gpu.memory
    what = "shapes" if by_need or len(need.provisioning) > 1 else "machines"
    holds = f" with at least {gib(int(number(by_need)))}" if by_need else ""
    fits = found.priced + found.unpriced
    if fits == 1:
        return f"the only one of GKE's {what}{holds} that fits what is asked"
    if not found.priced:
        return f"smallest of {fits} {what}{holds}, none with a known price"
    if found.priced == 1:
        return f"the only one of {fits} {what}{holds} with a known price"
    unknown = found.unpriced
    more = f", besides {unknown} without a known price" if unknown else ""
    return f"cheapest of {found.priced} {what}{holds}{more}"


def _told(best: Candidate) -> str:
    shape, slots = best.shape, best.slots
    what = shape.partition or shape.accelerator
    shared = (
        f" shared by {shape.max_shared_clients_per_gpu} ({shape.sharing_strategy})"
        if shape.sharing_strategy
        else ""
    )
    kind = "" if shape.provisioning == "standard" else f", {shape.provisioning}"
    text = f"{slots} slot{'s'[: slots != 1]}"
    text += f" of {what}{shared}" if what else ""
    text += f" on {best.machine.type.name}{kind}"
    if best.price is None:
        return text
    return (
        f"{text} at {_price(best.price)} an hour, {_price(best.price / slots)} a slot"
    )


def _price(amount: Decimal) -> str:
    return f"{amount:.2f}" if amount >= 1 else f"{amount:.3f}"
