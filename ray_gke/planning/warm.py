"""Warm replicas: balloons must find room on the nodes that their pool may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ray_gke.errors import Problem
from ray_gke.planning.node_pools import Pool, at_minimum
from ray_gke.planning.packing import node_count
from ray_gke.planning.runs import Member


def faults(pool: Pool) -> Iterator[Problem]:
    """Yield a problem for each group with more warm replicas than fit.

    Groups are served in the pool's order, so that what is said to fit does fit when
    every group with a problem follows it.
    """
    most = pool.node_pool.nodes_at_maximum
    if pool.node_pool.nodes_at_minimum <= most:
        return
    warm = [0] * len(pool.members)
    for index, member in enumerate(pool.members):
        asked = member.group.warm_replicas
        if not asked:
            continue
        warm[index] = _most_warm(pool, warm, index, asked)
        if warm[index] < asked:
            yield _problem(pool, member, warm[index])


def _most_warm(pool: Pool, warm: Sequence[int], index: int, asked: int) -> int:
    """Return how many balloons of one group fit beside those in `warm`."""
    low, high = 0, asked
    while low < high:
        middle = (low + high + 1) // 2
        tried = [*warm[:index], middle, *warm[index + 1 :]]
        packed = node_count(at_minimum(pool.members, tried, pool.room))
        fits = packed <= pool.node_pool.nodes_at_maximum
        low, high = (middle, high) if fits else (low, middle - 1)
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
