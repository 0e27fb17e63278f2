"""Which nodes of which pools have to come: the autoscaler's decisions, as functions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence

from tests.gke import fitting
from tests.gke.fitting import Object, Room
from tests.gke.node_pools import ZONE, NodePool

Wanted = list[tuple[NodePool, str]]
"""Nodes to bring: the pool and the zone of each."""

_CUTOFF = -10
"""Pods of a lower priority bring no nodes: --expendable-pods-priority-cutoff."""
_UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}


class Spread:
    """How many nodes each pool has in each zone, those that are wanted included."""

    def __init__(self, nodes: Iterable[Object]) -> None:
        self.wanted: Wanted = []
        self._zones: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for node in nodes:
            self._zones[hash_of(node)][node["metadata"]["labels"][ZONE]] += 1

    def number(self, pool: NodePool) -> int:
        """Return how many nodes a pool has in all its zones."""
        return self._zones[pool.hash].total()

    def want(self, pool: NodePool) -> None:
        """Want one node more, in the zone that has the fewest."""
        there = self._zones[pool.hash]
        zone = min(pool.zones, key=lambda zone: there[zone])
        there[zone] += 1
        self.wanted.append((pool, zone))


def to_begin_with(
    pools: Iterable[NodePool], ours: Iterable[Object], begun: Collection[str]
) -> Wanted:
    """Return the first nodes of new pools, and of others what they have too few of.

    `ours` are the nodes of the pools, `begun` hashes of the pools that had their first.
    """
    spread = Spread(ours)
    for pool in pools:
        least = pool.minimum if pool.hash in begun else pool.initial
        for _ in range(least - spread.number(pool)):
            spread.want(pool)
    return spread.wanted


def for_pods(
    pools: Sequence[NodePool],
    ours: Iterable[Object],
    nodes: Iterable[Object],
    pods: Sequence[Object],
) -> Wanted:
    """Return nodes for the pods that would find no place on those that are there.

    Of the pools that would do, the first brings one that has not all of its nodes.
    """
    spread = Spread(ours)
    rooms = [
        Room.of(node, pods) for node in nodes if not node["spec"].get("unschedulable")
    ]
    for pod in sorted(filter(is_waiting, pods), key=_in_order):
        room = next((room for room in rooms if room.takes(pod)), None)
        if room is None:
            found = _new_room(pod, pools, spread)
            if found is None:
                continue
            rooms.append(room := found)
        room.take(pod)
    return spread.wanted


def is_waiting(pod: Object) -> bool:
    """Tell whether a pod found no node, and is one that nodes are brought for."""
    return (
        not fitting.place(pod)
        and "deletionTimestamp" not in pod["metadata"]
        and pod["spec"].get("priority", 0) >= _CUTOFF
        and not _is_of_a_daemon_set(pod)
        and any(
            _UNSCHEDULABLE.items() <= condition.items()
            for condition in pod["status"].get("conditions", ())
        )
    )


def keeps_its_node(pod: Object) -> bool:
    """Tell whether a node must stay for a pod."""
    return not fitting.is_over(pod) and not _is_of_a_daemon_set(pod)


def hash_of(node: Object) -> str:
    """Return the hash of a node's pool."""
    return str(node["metadata"]["name"]).rsplit("-", 2)[1]


def _new_room(pod: Object, pools: Iterable[NodePool], spread: Spread) -> Room | None:
    for pool in pools:
        room = Room(
            pool.node_labels(pool.zones[0]),
            list(pool.taints),
            fitting.amounts(pool.allocatable),
        )
        if spread.number(pool) < pool.maximum and room.takes(pod):
            spread.want(pool)
            return room
    return None


def _is_of_a_daemon_set(pod: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences", ())
    return any(owner["kind"] == "DaemonSet" for owner in owners)


def _in_order(pod: Object) -> tuple[int, str, str]:
    """Order pods as the scheduler does: by priority, then the oldest first."""
    about = pod["metadata"]
    return -pod["spec"].get("priority", 0), about["creationTimestamp"], about["name"]
