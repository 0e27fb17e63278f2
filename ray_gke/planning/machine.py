"""What of a plan fits on one machine: pure, so that it can be shown before `up`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ray_gke.errors import RefusedError
from ray_gke.planning.plan import Group, Plan

GIB = 2**30

HEAD_BYTES = 3 * GIB // 2
"""GCS, dashboard, autoscaler, one raylet and a driver, in resident memory."""
WORKER_BYTES = GIB // 2
"""A raylet, its two agents and one Python worker."""
WORKERS_PER_CPU = 4
"""A raylet costs about a second of one core to start."""


@dataclass(frozen=True)
class Machine:
    """What this machine has; `gpus` are ids as CUDA_VISIBLE_DEVICES takes them."""

    cpus: int
    memory_bytes: int
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True)
class LocalPlan:
    """A plan that one machine can carry.

    `plan` has the groups that were scaled down; never more than `most_workers` run at
    once. Each raylet gets `object_store_bytes`. `gpus` are the real GPUs to hand out,
    none when GPUs are only counted. `notes` tell the user what differs from the plan.
    """

    plan: Plan
    most_workers: int
    object_store_bytes: int
    gpus: tuple[str, ...]
    notes: tuple[str, ...]


def fit(plan: Plan, machine: Machine) -> LocalPlan:
    """Scale `plan` down to `machine`; what one worker looks like stays as it is.

    Raises RefusedError when not even one worker of every needed group fits.
    """
    most = _most_workers(plan, machine)
    groups = _scaled(plan.worker_groups, most)
    gpus, groups = _with_gpus(plan.head, groups, machine.gpus)
    fitted = replace(plan, worker_groups=groups)
    return LocalPlan(
        plan=fitted,
        most_workers=most,
        object_store_bytes=_object_store(fitted, machine, most),
        gpus=gpus,
        notes=(
            *_size_notes(plan.worker_groups, groups, machine),
            *_gpu_notes(fitted, machine, gpus),
        ),
    )


def _most_workers(plan: Plan, machine: Machine) -> int:
    by_memory = (machine.memory_bytes - HEAD_BYTES) // WORKER_BYTES
    most = min(by_memory, WORKERS_PER_CPU * machine.cpus)
    needed = [group.name for group in plan.worker_groups if group.min_replicas]
    if by_memory < 0 or most < len(needed):
        asked = f" and a worker of each of {', '.join(needed)}" if needed else ""
        least = HEAD_BYTES + len(needed) * WORKER_BYTES
        cpus = -(-len(needed) // WORKERS_PER_CPU) or 1
        raise RefusedError(
            f"{plan.name} does not fit on this machine: a head{asked} needs "
            f"{_gib(least)} of memory and {cpus} CPUs; "
            f"there are {_gib(machine.memory_bytes)} and {machine.cpus}",
            hint="use a bigger machine, or set min_replicas of some groups to 0",
        )
    return most


def _scaled(groups: Sequence[Group], most: int) -> tuple[Group, ...]:
    """Cut `min_replicas` fairly to `most` in all, and every `max_replicas` to it."""
    mins = _shares({g.name: g.min_replicas for g in groups}, most, lambda _name: 1)
    return tuple(_resized(g, mins[g.name], min(g.max_replicas, most)) for g in groups)


def _resized(group: Group, least: int, most: int) -> Group:
    """A group of fixed size stays one of fixed size."""
    if group.min_replicas == group.max_replicas:
        most = least
    return replace(group, min_replicas=least, max_replicas=most)


def _shares(
    wanted: Mapping[str, int], room: int, cost: Callable[[str], int]
) -> dict[str, int]:
    """Give one more to each name in turn, until it has what it wants or room is out."""
    got = dict.fromkeys(wanted, 0)
    left, given = room, True
    while given:
        given = False
        for name, most in wanted.items():
            if got[name] < most and cost(name) <= left:
                got[name] += 1
                left -= cost(name)
                given = True
    return got


def _with_gpus(
    head: Group, groups: tuple[Group, ...], gpus: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[Group, ...]]:
    """Return the GPUs to hand out, and the groups cut to what these allow.

    Every raylet gets GPUs of its own, so the sum of all `max_replicas` must fit. When
    not even the smallest cluster does, GPUs are only counted.
    """
    users = {g.name: g for g in groups if g.num_gpus}
    room = len(gpus) - head.num_gpus
    least = sum(g.num_gpus for g in users.values())
    if not gpus or not (users or head.num_gpus) or least > room:
        return (), groups
    wanted = {name: g.max_replicas for name, g in users.items()}
    most = _shares(wanted, room, lambda name: users[name].num_gpus)
    cut = tuple(
        replace(
            g, min_replicas=min(g.min_replicas, most[g.name]), max_replicas=most[g.name]
        )
        if g.name in users
        else g
        for g in groups
    )
    return gpus, cut


def _object_store(plan: Plan, machine: Machine, most: int) -> int:
    """Ray's own share, 30 % of memory, in equal parts for all raylets there can be.

    WORKER_BYTES keeps it above the 75 MiB that a raylet insists on.
    """
    nodes = 1 + min(most, sum(g.max_replicas for g in plan.worker_groups))
    return min(2 * GIB, machine.memory_bytes * 3 // 10 // nodes)


def _size_notes(
    before: Sequence[Group], after: Sequence[Group], machine: Machine
) -> list[str]:
    """One line for each group that is not what the plan says."""
    has = f"this machine has {machine.cpus} CPUs and {_gib(machine.memory_bytes)}"
    if machine.gpus:
        has += f" and {len(machine.gpus)} GPUs"
    return [
        f"group {old.name}: workers {_range(old)} → {_range(new)} ({has})"
        for old, new in zip(before, after, strict=True)
        if _range(old) != _range(new)
    ]


def _gpu_notes(plan: Plan, machine: Machine, gpus: tuple[str, ...]) -> list[str]:
    users = [g for g in (plan.head, *plan.worker_groups) if g.num_gpus]
    if gpus or not users:
        return []
    names = ", ".join(f"{g.name} ({g.num_gpus})" for g in users)
    has = "no GPU" if not machine.gpus else f"only {len(machine.gpus)}"
    note = f"this machine has {has}: Ray counts logical GPUs for {names}"
    return [note + ", and code that needs a real one fails"]


def _range(group: Group) -> str:
    low, high = group.min_replicas, group.max_replicas
    return str(low) if low == high else f"{low} to {high}"


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
