"""Warm replicas: balloons must find room on the nodes that their pool may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ray_gke.errors import Problem
from ray_gke.planning.node_pools import Pool, at_minimum
from ray_gke.planning.packing import node_count
from ray_gke.planning.runs import Member

_MOST_GROUPS = 20
"""So many groups are told at once: each takes several packings of the whole pool."""


def faults(pool: Pool) -> Iterator[Problem]:
    """Yield a problem for each group with more warm replicas than fit.

    Groups are served in the pool's order, so that what is said to fit does fit when
    every group with a problem follows it.
    """
    asked = [member.group.warm_replicas for member in pool.members]
    if _fits(pool, asked):
        return
    first = _first_without_room(pool, asked)
    warm = [*asked[:first], *[0] * (len(asked) - first)]
    for index in range(first, min(len(asked), first + _MOST_GROUPS)):
        if asked[index]:
            warm[index] = _most_warm(pool, warm, index, asked[index])
            if warm[index] < asked[index]:
                yield _problem(pool, pool.members[index], warm[index])


def _first_without_room(pool: Pool, asked: Sequence[int]) -> int:
    low, high = 0, len(asked) - 1
    while low < high:
        middle = (low + high) // 2
        served = [*asked[: middle + 1], *[0] * (len(asked) - middle - 1)]
        low, high = (middle + 1, high) if _fits(pool, served) else (low, middle)
    return low


def _fits(pool: Pool, warm: Sequence[int]) -> bool:
    needed = node_count(at_minimum(pool.members, warm, pool.room))
    return needed <= pool.node_pool.nodes_at_maximum


def _most_warm(pool: Pool, warm: Sequence[int], index: int, asked: int) -> int:
    """Return how many balloons of one group fit beside those in `warm`."""
    low, high = 0, asked
    while low < high:
        middle = (low + high + 1) // 2
        tried = [*warm[:index], middle, *warm[index + 1 :]]
        low, high = (middle, high) if _fits(pool, tried) else (low, middle - 1)
    return low


def _problem(pool: Pool, member: Member, fitting: int) -> Problem:
    group, nodes = member.group, pool.node_pool.nodes_at_maximum
    message = (
        f"warm_replicas {group.warm_replicas} of group {group.name} of "
        f"{member.run.plan.name} do not fit: its pool {pool.node_pool.name} may have "
        f"{nodes} node{'s'[: nodes != 1]}, which beside all min_replicas hold "
        f"{fitting} of them"
    )
    hint = f"set warm_replicas to at most {fitting}, or raise max_replicas"
    return Problem(message, member.run.warm_places.get(group.name), hint)
