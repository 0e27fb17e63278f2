"""The picture of a node: its GPUs, and its CPU and memory to scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ray_gke.planning.capacity import Amounts, NodePool, NodesAlike, PodsOnNode
from ray_gke.reporting import page_gpus
from ray_gke.reporting.amounts import count, cpus, gib
from ray_gke.reporting.page_gpus import Owner
from ray_gke.reporting.page_shapes import (
    WIDTH,
    Block,
    Label,
    Part,
    Picture,
    bar,
    colour,
    rounded,
)

_TITLE = 18.0
_BAR = 26.0
_ROW = _TITLE + _BAR + 12.0
_MOST_CELLS = 40

Tags = Mapping[tuple[str, str], int]
"""The number of each group of a run, by which the page names it."""


@dataclass(frozen=True)
class _Axis:
    name: str
    size: Callable[[Amounts], int]
    text: Callable[[int], str]


_AXES = (
    _Axis("CPU", lambda amounts: amounts.cpu_millis, cpus),
    _Axis("Memory", lambda amounts: amounts.memory_bytes, gib),
)


def node(pool: NodePool, alike: NodesAlike, tags: Tags) -> Picture:
    """Return the picture of one of `alike`."""
    blocks: list[Block] = []
    labels: list[Label] = []
    top = 0.0
    if pool.gpus_per_node:
        labels += _titles(_gpus(pool), _gpus_used(pool, alike), top)
        owners = [owner for pods in alike.pods for owner in _owners(pods, tags)]
        blocks += page_gpus.blocks(pool, owners, top + _TITLE)
        top += _TITLE + page_gpus.height(pool) + 6
    for axis in _AXES:
        labels += _titles(axis.name, _used(axis, pool, alike), top)
        full = axis.size(pool.machine)
        parts = _parts(axis, pool, alike, tags)
        size = (WIDTH, _BAR)
        blocks += bar(parts, full, 0, top + _TITLE, size)
        top += _ROW
    return Picture(
        title=f"{count(alike.nodes, 'node')} of pool {pool.name}",
        description=_described(pool, alike, tags),
        height=top - 8,
        blocks=tuple(map(rounded, blocks)),
        labels=tuple(labels),
    )


def strip(pool: NodePool) -> Picture:
    """Return the picture of how many nodes there are; those at minimum are full."""
    least, most = pool.nodes_at_minimum, pool.nodes_at_maximum
    parts = [Part(1, "node-on", "", least), Part(1, "node-off", "", most - least)]
    if most > _MOST_CELLS:
        parts = [Part(least, "node-on"), Part(most - least, "node-off")]
    blocks = bar(parts, max(most, 10), 1, 1, (WIDTH - 2, 14))
    gap = 2 if most <= _MOST_CELLS else 0
    return Picture(
        title=f"Nodes of pool {pool.name}",
        description=f"{least:,} at minimum, {most:,} at maximum",
        height=16,
        blocks=tuple(
            rounded(Block(b.x, b.y, max(b.width - gap, 1), b.height, b.look))
            for b in blocks
        ),
    )


def look(pods: PodsOnNode, tags: Tags) -> str:
    """Return the CSS classes of these pods."""
    classes = colour(tags[pods.run, pods.group] - 1)
    return f"{classes} balloon" if pods.balloons else classes


def _owners(pods: PodsOnNode, tags: Tags) -> list[Owner]:
    owner = Owner(look(pods, tags), str(tags[pods.run, pods.group]))
    return [owner] * (pods.pods * pods.pod.gpus)


def _parts(axis: _Axis, pool: NodePool, alike: NodesAlike, tags: Tags) -> list[Part]:
    """Return pods, then what is stranded, then what the system keeps."""
    used = [
        Part(
            axis.size(pods.pod),
            look(pods, tags),
            str(tags[pods.run, pods.group]),
            pods.pods,
        )
        for pods in alike.pods
    ]
    stranded = max(axis.size(alike.stranded), 0)
    begun = sum(part.size * part.count for part in used) + stranded
    reserved = max(axis.size(pool.machine) - begun, 0)
    return [
        *used,
        Part(stranded, "stranded", axis.text(stranded)),
        Part(reserved, "reserved", axis.text(round(reserved))),
    ]


def _used(axis: _Axis, pool: NodePool, alike: NodesAlike) -> str:
    used = sum(axis.size(pods.pod) * pods.pods for pods in alike.pods)
    of = axis.text(axis.size(pool.machine))
    return f"{axis.text(used)} of {of} · {axis.text(axis.size(alike.stranded))} left"


def _gpus(pool: NodePool) -> str:
    """Return how each GPU is divided: `2 GPUs, 7 slices each`."""
    each = pool.devices_per_node // pool.gpus_per_node
    kind = "shares" if pool.sharing_strategy else "slices"
    if pool.gpus_per_node > 1:
        kind += " each"
    return count(pool.gpus_per_node, "GPU") + (f", {each} {kind}" if each > 1 else "")


def _gpus_used(pool: NodePool, alike: NodesAlike) -> str:
    used = sum(pods.pod.gpus * pods.pods for pods in alike.pods)
    left = f" · {alike.stranded.gpus} left" if alike.stranded.gpus else ""
    return f"{used} of {pool.devices_per_node} used{left}"


def _titles(name: str, amounts: str, top: float) -> list[Label]:
    return [Label(0, top + 12, name), Label(WIDTH, top + 12, amounts, end=True)]


def _described(pool: NodePool, alike: NodesAlike, tags: Tags) -> str:
    pods = [
        f"{count(p.pods, 'balloon' if p.balloons else 'pod')} of group"
        f" {tags[p.run, p.group]}, {p.run}/{p.group}"
        for p in alike.pods
    ]
    axes = [f"{axis.name}: {_used(axis, pool, alike)}" for axis in _AXES]
    gpus = [f"GPU: {_gpus_used(pool, alike)}"] if pool.gpus_per_node else []
    return f"Each carries {'; '.join(pods) or 'nothing'}. {'. '.join([*gpus, *axes])}."
