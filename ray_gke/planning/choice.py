"""The cheapest nodes for a group, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ray_gke.catalog.quantities import number
from ray_gke.gke.allocatable import usable
from ray_gke.gke.prices import Prices
from ray_gke.gke.resources import GIB, Resources
from ray_gke.planning.candidates import Candidate, Fit, candidate, fits
from ray_gke.planning.divisions import Division, eligible
from ray_gke.planning.need import Need
from ray_gke.planning.site import Site

__all__ = ["Candidate", "Choice", "NoMachine", "choose", "share"]

_MOST_RUNNERS_UP = 5


class NoMachine(Exception):
    """No machine that GKE has carries a pod of the group."""

    def __init__(self, message: str, hint: str) -> None:
        """`message` says what is missing, `hint` what to change."""
        super().__init__(message)
        self.message = message
        self.hint = hint


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
    return _choose(need, _Market(site.prices, site.region, site.zones))


def share(candidate: Candidate) -> Resources:
    """Return an equal share of a node for each slot, in 100m and whole GiB."""
    node = usable(candidate.machine.type)
    return Resources(
        node.cpu_millis // candidate.slots // 100 * 100,
        node.memory_bytes // candidate.slots // GIB * GIB,
    )


@lru_cache(maxsize=4096)
def _choose(need: Need, market: _Market) -> Choice:
    divisions = eligible(need, (market.region, market.zones))
    found = list(fits(need, divisions, market.prices))
    if not found:
        raise _nothing(need, divisions)
    kinds: dict[tuple[object, ...], Fit] = {}
    for fit in found:
        best = kinds.get(fit.kind)
        if best is None or fit < best:
            kinds[fit.kind] = fit
    first, *others = (
        candidate(fit, need, market.prices)
        for fit in sorted(kinds.values())[: 1 + _MOST_RUNNERS_UP]
    )
    return Choice(first, _reason(need, first, found), tuple(others))


def _reason(need: Need, best: Candidate, found: Sequence[Fit]) -> str:
    return f"{_because(need, best, found)}: {_told(best)}"


def _because(need: Need, best: Candidate, found: Sequence[Fit]) -> str:
    places = {(*fit.kind, fit.machine_type, fit.gpus): fit.unpriced for fit in found}
    by_need = need.gpu is not None and need.gpu.memory
    what = "shapes" if by_need or len(need.provisioning) > 1 else "machines"
    holds = f" with at least {_gib(int(number(by_need)))}" if by_need else ""
    if len(places) == 1:
        return f"the only one of GKE's {what}{holds} that fits what is asked"
    priced = sum(not unpriced for unpriced in places.values())
    if best.price is None:
        return f"smallest of {len(places)} {what}{holds}, none with a known price"
    unknown = len(places) - priced
    more = f", besides {unknown} without a known price" if unknown else ""
    return f"cheapest of {priced} {what}{holds}{more}"


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
    return f"{text} at {best.price:.2f} an hour, {best.price / slots:.2f} a slot"


def _nothing(need: Need, divisions: Sequence[Division]) -> NoMachine:
    """Say what the machine that comes nearest lacks."""
    pod, asked = need.pod, need.gpu.count if need.gpu else 0
    kinds = " or ".join(need.provisioning)
    if not divisions:
        where = f" in {', '.join(need.zones)}" if need.zones else ""
        what = (
            f"GPU with {need.gpu.memory} of memory"
            if need.gpu and need.gpu.memory
            else "machine for this group"
        )
        on = f" on {need.machine_type}" if need.machine_type else ""
        return NoMachine(
            f"GKE has no {what}{on} to be had as {kinds}{where}",
            "ask for less GPU memory, other accelerators, another machine_type, "
            "or another provisioning",
        )
    best = min(divisions, key=lambda division: _shortage(need, division))
    node, units = best.usable, _devices(need, best)
    short = [
        text
        for text, wanted, there in (
            (f"{_cpu(node.cpu_millis)} CPU", pod.cpu_millis, node.cpu_millis),
            (
                f"{_gib(node.memory_bytes)} of memory",
                pod.memory_bytes,
                node.memory_bytes,
            ),
            (f"{units} of nvidia.com/gpu", asked, units),
        )
        if wanted > there
    ]
    gpus = (f" and {asked} nvidia.com/gpu", f" and {units}") if asked else ("", "")
    least = " and ".join(short)
    missing = " and ".join(text.split()[-1] for text in short)
    other = "another accelerator" if asked else "split the work over more workers"
    change = "another machine_type" if need.machine_type else other
    return NoMachine(
        f"no machine holds a pod of {_cpu(pod.cpu_millis)} CPU, "
        f"{_gib(pod.memory_bytes)}{gpus[0]}: {best.machine.type.name} leaves "
        f"{_cpu(node.cpu_millis)} CPU, {_gib(node.memory_bytes)}{gpus[1]} for pods; "
        f"{missing} is missing",
        f"ask at most {least}, or {change}",
    )


def _shortage(need: Need, division: Division) -> tuple[float, str, int]:
    node = division.usable
    ratios = (
        need.pod.cpu_millis / node.cpu_millis,
        need.pod.memory_bytes / node.memory_bytes,
        need.gpu.count / _devices(need, division) if need.gpu else 0,
    )
    return max(ratios), division.machine.type.name, division.machine.gpus


def _devices(need: Need, division: Division) -> int:
    sharing = need.gpu.sharing if need.gpu else None
    return division.units * (sharing.max_shared_clients_per_gpu if sharing else 1)


def _cpu(millis: int) -> str:
    return f"{millis / 1000:g}"


def _gib(size: int) -> str:
    """Round down: what is said to fit must fit."""
    return f"{size * 10 // GIB / 10:g} GiB"
