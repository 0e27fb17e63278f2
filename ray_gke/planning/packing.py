"""Pods onto equal nodes: first fit, largest first, in closed form for equal pods.

Cluster autoscaler estimates the nodes that it adds in the same way, largest pods
first (kubernetes/autoscaler, estimator/binpacking_estimator.go).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ray_gke.planning.capacity import Amounts, NodesAlike, PodsOnNode

_WINDOW = 32
"""So many kinds of nodes with room are looked at for each size of pods, which bounds
the time. Older ones may have room left."""


@dataclass(frozen=True)
class Room:
    """What a node has for pods: resources, and the number of pods itself."""

    cpu_millis: int
    memory_bytes: int
    gpus: int
    pods: int

    @property
    def amounts(self) -> Amounts:
        """The resources."""
        return Amounts(self.cpu_millis, self.memory_bytes, self.gpus)

    def slots(self, pod: Amounts) -> int:
        """Return how many such pods fit."""
        most = [
            self.pods,
            self.cpu_millis // pod.cpu_millis,
            self.memory_bytes // pod.memory_bytes,
        ]
        if pod.gpus:
            most.append(self.gpus // pod.gpus)
        return min(most)

    def without(self, pod: Amounts, count: int) -> Room:
        """Return what `count` such pods leave."""
        return Room(
            self.cpu_millis - count * pod.cpu_millis,
            self.memory_bytes - count * pod.memory_bytes,
            self.gpus - count * pod.gpus,
            self.pods - count,
        )


@dataclass(frozen=True)
class _Alike:
    nodes: int
    free: Room
    carried: tuple[PodsOnNode, ...] = ()

    def carrying(self, nodes: int, pods: PodsOnNode, each: int) -> _Alike:
        carried = (*self.carried, replace(pods, pods=each)) if each else self.carried
        return _Alike(nodes, self.free.without(pods.pod, each), carried)


def pack(pods: Iterable[PodsOnNode], room: Room) -> tuple[NodesAlike, ...]:
    """Return nodes that carry all `pods`, those with the largest first.

    Each of `pods` counts all of its pods together; every one must fit an empty node.
    """
    nodes: list[_Alike] = []
    for group in sorted(pods, key=lambda group: _order(group, room)):
        nodes = _placed(group, nodes, room)
    return tuple(NodesAlike(a.nodes, a.carried, a.free.amounts) for a in nodes)


def node_count(nodes: Iterable[NodesAlike]) -> int:
    """Return the number of nodes."""
    return sum(alike.nodes for alike in nodes)


def _order(
    group: PodsOnNode, room: Room
) -> tuple[float, int, int, int, str, str, bool]:
    pod = group.pod
    share = max(
        pod.cpu_millis / room.cpu_millis,
        pod.memory_bytes / room.memory_bytes,
        pod.gpus / room.gpus if room.gpus else 0,
    )
    size = (-pod.gpus, -pod.cpu_millis, -pod.memory_bytes)
    return (-share, *size, group.run, group.group, group.balloons)


def _placed(group: PodsOnNode, nodes: list[_Alike], room: Room) -> list[_Alike]:
    """Fill what is open, oldest first, then open new nodes."""
    left = group.pods
    result: list[_Alike] = []
    for alike in nodes[-_WINDOW:]:
        filled, left = _filled(alike, group, left)
        result += filled
    if left:
        empty = _Alike(-(-left // room.slots(group.pod)), room)
        result += _filled(empty, group, left)[0]
    nodes[-_WINDOW:] = result
    return nodes


def _filled(alike: _Alike, group: PodsOnNode, left: int) -> tuple[list[_Alike], int]:
    """Put as many as fit on these nodes; return the nodes and what is left over."""
    each = alike.free.slots(group.pod) if left else 0
    if not each:
        return [alike], left
    full = min(alike.nodes, left // each)
    rest = left - full * each if full < alike.nodes else 0
    untouched = alike.nodes - full - bool(rest)
    parts = (
        alike.carrying(full, group, each),
        alike.carrying(int(bool(rest)), group, rest),
        alike.carrying(untouched, group, 0),
    )
    return [part for part in parts if part.nodes], left - full * each - rest
