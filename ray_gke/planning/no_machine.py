"""Why no machine carries a group, and what to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import get_args

from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.nodes import Provisioning
from ray_gke.gke.resources import GIB
from ray_gke.planning.divisions import Division, eligible
from ray_gke.planning.need import Need


class NoMachine(Exception):
    """No machine that GKE has carries a pod of the group."""

    def __init__(self, message: str, hint: str, key: tuple[str, ...] = ()) -> None:
        """`message` says what is missing, `hint` what to change."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.key = key


def none(need: Need, region: str, zones: tuple[str, ...]) -> NoMachine:
    """Say which word of the group leaves no machine at all."""
    memory = need.gpu.memory if need.gpu else None
    among = need.gpu.accelerators if need.gpu else None
    what = f"GPU with {memory} of memory" if memory else "machine for this group"
    of = f" among {', '.join(among)}" if among else ""
    on = f" on {need.machine_type}" if need.machine_type else ""
    place = ", ".join(need.zones or zones) or region
    where = f" in {place}" if place else ""
    ways = [
        hint
        for hint, other in _changed(need, region, zones)
        if eligible(other, region, zones)
    ]
    return NoMachine(
        f"GKE has no {what}{of}{on} to be had as {' or '.join(need.provisioning)}"
        f"{where}",
        ", or ".join(ways) or "change more than one of machine_type, zones and gpu",
    )


def _changed(
    need: Need, region: str, zones: tuple[str, ...]
) -> Iterator[tuple[str, Need]]:
    """Yield the group with one word changed, and how to say it."""
    if need.gpu and need.gpu.memory:
        gpu = need.gpu
        least = replace(need, gpu=gpu.model_copy(update={"memory": "1Mi"}))
        sizes = [d.unit_memory for g in eligible(least, region, zones) for d in g]
        yield f"ask at most {max(sizes, default=0) // 2**30}Gi of GPU memory", least
        for name in ACCELERATORS if gpu.accelerators else ():
            one = replace(need, gpu=gpu.model_copy(update={"accelerators": (name,)}))
            if eligible(one, region, zones):
                yield f"add {name} to accelerators", one
                break
    if need.machine_type:
        free = replace(need, machine_type=None)
        names = [d.machine.type.name for g in eligible(free, region, zones) for d in g]
        yield f"use machine_type: {''.join(names[:1])}", free
    if need.zones:
        yield "leave zones out", replace(need, zones=())
    for kind in get_args(Provisioning):
        bought = replace(need, provisioning=(kind,))
        if kind != "reservation" and eligible(bought, region, zones):
            yield f"use provisioning: {kind} in a worker group", bought
            break


_KEYS = {"CPU": ("cpu",), "memory": ("memory",), "nvidia.com/gpu": ("gpu", "count")}
"""Where a group says how much it asks of each."""


def too_small(need: Need, divisions: Sequence[Division]) -> NoMachine:
    """Say what the machine that comes nearest lacks."""
    pod, asked = need.pod, need.gpu.count if need.gpu else 0
    best = min(divisions, key=lambda division: _shortage(need, division))
    node, units = best.usable, _devices(need, best)
    own = node - need.beside
    short = [
        text
        for text, wanted, there in (
            (f"{_cpu(own.cpu_millis)} CPU", pod.cpu_millis, node.cpu_millis),
            (
                f"{gib(own.memory_bytes)} of memory",
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
    name, named = best.machine.type.name, need.machine_type
    holds = f"{name} does not hold" if named else "no machine holds"
    leaves = "it leaves" if named else f"{name} leaves"
    return NoMachine(
        f"{holds} a pod of {_cpu(pod.cpu_millis)} CPU, "
        f"{gib(pod.memory_bytes)}{gpus[0]}: {leaves} "
        f"{_cpu(node.cpu_millis)} CPU, {gib(node.memory_bytes)}{gpus[1]} for pods; "
        f"{missing} {'are' if short[1:] else 'is'} missing",
        f"ask at most {least}, or {change}",
        key=_KEYS[short[0].split()[-1]],
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


def gib(size: int) -> str:
    """Round down: what is said to fit must fit."""
    return f"{size * 10 // GIB / 10:g} GiB"
