"""Why no node of a cluster takes certain pods, in sentences about all its nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ray_gke.gke.nodes import GPU_RESOURCE, NODE_POOL
from ray_gke.rendering.labels import BALLOON
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.explanation import NodeLack, Pending
from ray_gke.targets.kubernetes import node_matching
from ray_gke.targets.kubernetes.inventory import PoolFacts
from ray_gke.targets.kubernetes.node_matching import Room, shown
from ray_gke.targets.kubernetes.pod_requests import requests
from ray_gke.targets.kubernetes.resources import labels
from ray_gke.targets.kubernetes.view import GROUP_LABEL

_MOST_NODES, _MOST_NAMES = 5, 4
_NONE = Decimal(0)
# A label can hardly be mended, a full node empties by itself.
_WEIGHTS = (100, 10, 1)


@dataclass(frozen=True)
class _Lacks:
    """What one node lacks for a pod, by what it takes to mend it."""

    place: Room
    labels: tuple[str, ...]
    taints: tuple[str, ...]
    resources: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.labels, *self.taints, *self.resources)

    @property
    def distance(self) -> int:
        groups = (self.labels, self.taints, self.resources)
        return sum(weight * len(g) for weight, g in zip(_WEIGHTS, groups, strict=True))


def pending(
    pods: Sequence[Manifest], places: Sequence[Room], pools: Sequence[PoolFacts] = ()
) -> Pending:
    """Return why these pods, which are alike, have no node.

    `pools` are the node pools that their plan is for, where those are ours.
    """
    pod = pods[0]
    lacks = [_lacks(pod, place) for place in places]
    nearest = sorted(lacks, key=lambda one: (one.distance, one.place.name))
    wanted = {key: shown(key, amount) for key, amount in sorted(requests(pod).items())}
    return Pending(
        group=labels(pod).get(GROUP_LABEL, ""),
        pods=tuple(one["metadata"]["name"] for one in pods),
        wanted=wanted,
        findings=(*_findings(pod, lacks), *_pool(pod, places, pools)),
        nearest=tuple(
            NodeLack(one.place.name, one.all)
            for one in [one for one in nearest if one.all][:_MOST_NODES]
        ),
    )


def _lacks(pod: Manifest, place: Room) -> _Lacks:
    taints = node_matching.taint_lacks(pod, place.node)
    if place.node["spec"].get("unschedulable"):
        taints = ["being uncordoned", *(t for t in taints if "unschedulable" not in t)]
    if not node_matching.is_ready(place.node):
        taints = ["being ready", *(t for t in taints if "node.kubernetes.io" not in t)]
    return _Lacks(
        place,
        tuple(node_matching.label_lacks(pod, place.node)),
        tuple(taints),
        tuple(node_matching.resource_lacks(pod, place)),
    )


def _findings(pod: Manifest, lacks: Sequence[_Lacks]) -> Iterator[str]:
    if not lacks:
        yield "the cluster has no nodes"
        return
    matching = [one for one in lacks if not one.labels]
    if not matching:
        yield from _no_match(pod, lacks)
        return
    selector = pod["spec"].get("nodeSelector") or {}
    have = ", ".join(f"{k}={v}" for k, v in selector.items())
    yield f"{_count(matching)} {have or 'all labels that it wants'}"
    barred = [one for one in matching if one.taints]
    for what, count in Counter(t for one in barred for t in one.taints).items():
        yield f"{count} of them would need {what}"
    if able := [one for one in matching if not one.all]:
        yield f"{len(able)} node{'s'[: len(able) != 1]} would take it"
    yield from _shortage(pod, [one for one in matching if not one.taints])


def _pool(
    pod: Manifest, places: Sequence[Room], pools: Sequence[PoolFacts]
) -> Iterator[str]:
    """Yield how large the pool may be that the pod is planned for, and is."""
    name = (pod["spec"].get("nodeSelector") or {}).get(NODE_POOL)
    count = sum(labels(place.node).get(NODE_POOL) == name for place in places)
    for pool in pools:
        if pool.name == name:
            yield (
                f"the plan's pool {name} may have at most {pool.max_nodes} "
                f"node{'s'[: pool.max_nodes != 1]} and has {count}"
            )


def _no_match(pod: Manifest, lacks: Sequence[_Lacks]) -> Iterator[str]:
    """Yield which labels no node has, or that no node has all of them."""
    nodes = [one.place.node for one in lacks]
    none_at_all = False
    for key, value in (pod["spec"].get("nodeSelector") or {}).items():
        found = Counter(labels(node)[key] for node in nodes if key in labels(node))
        if value in found:
            continue
        none_at_all = True
        others = ", ".join(sorted(found)[:_MOST_NAMES])
        there = f" (there are: {others})" if others else ""
        yield (
            f"no node has the label {key}={value}{there}: there is no node pool of "
            "that shape, or it has no node now"
        )
    if not none_at_all:
        common = Counter(lack for one in lacks for lack in one.labels)
        needs = "; ".join(f"{n} lack {what}" for what, n in common.most_common(3))
        yield f"no node has all labels that it wants: {needs}"


def _shortage(pod: Manifest, lacks: Sequence[_Lacks]) -> Iterator[str]:
    """Yield what nodes that would take the pod have too little of, and who has it."""
    for key, amount in requests(pod).items():
        places = [one.place for one in lacks]
        if not places or any(amount <= p.free.get(key, _NONE) for p in places):
            continue
        largest = max(p.size.get(key, _NONE) for p in places)
        if amount > largest:
            yield (
                f"none is large enough, even when empty: {shown(key, amount)} {key} "
                f"wanted, the largest has {shown(key, largest)}"
            )
            continue
        most = max(p.free.get(key, _NONE) for p in places)
        what = "GPUs" if key == GPU_RESOURCE else key
        left = f"at most {shown(key, most)} {what} left on one" if most > 0 else ""
        yield f"{left or f'all their {what} are taken'}: {_holders(key, places)}"


def _holders(key: str, places: Sequence[Room]) -> str:
    """Return who has a resource of nodes, those with most first."""
    held: Counter[str] = Counter()
    balloons = 0
    for place in places:
        for pod in place.pods:
            amount = requests(pod).get(key, _NONE)
            if not amount:
                continue
            if BALLOON in labels(pod):
                balloons += 1
                continue
            meta = pod["metadata"]
            held[f"{meta.get('namespace', '')}/{meta['name']}"] += int(amount * 1000)
    names = [name for name, _ in held.most_common(_MOST_NAMES)]
    more = len(held) - len(names)
    parts = [*names, *([f"{more} more pods"] if more else [])]
    if balloons:
        parts.append(f"{balloons} balloon pods, which give way")
    return ", ".join(parts) or "by nothing that we may see"


def _count(matching: Sequence[_Lacks]) -> str:
    count = len(matching)
    return f"{count} node{'s'[: count != 1]} {'has' if count == 1 else 'have'}"
