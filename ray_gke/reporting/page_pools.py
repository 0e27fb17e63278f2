"""A pool as the page has it: its pictures, and the words beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ray_gke.planning.capacity import Amounts, NodePool, NodesAlike, PodsOnNode
from ray_gke.reporting import amounts, page_nodes, plan_text
from ray_gke.reporting.page_nodes import Tags
from ray_gke.reporting.page_shapes import Picture

_KINDS_IN_SIGHT = 4
"""Kinds of nodes of a pool that are shown before one asks for all of them."""


@dataclass(frozen=True)
class PodLine:
    """So many pods of a group, as the words under a picture have it."""

    tag: int
    look: str
    name: str
    pods: str


@dataclass(frozen=True)
class NodesView:
    """Nodes that are alike: drawn once, with how many they are."""

    heading: str
    picture: Picture
    pods: tuple[PodLine, ...]
    left: str


@dataclass(frozen=True)
class Size:
    """A pool at one of its sizes; `more` are the kinds of nodes after the first."""

    title: str
    nodes: str
    kinds: tuple[NodesView, ...]
    more: tuple[NodesView, ...]


@dataclass(frozen=True)
class PoolView:
    """A pool with its pictures."""

    pool: NodePool
    anchor: str
    strip: Picture
    nodes: str
    facts: tuple[str, ...]
    prices: tuple[str, ...]
    sizes: tuple[Size, ...]
    each: str
    settings: Mapping[str, str]


def view(pool: NodePool, anchor: str, tags: Tags, currency: str) -> PoolView:
    """Return the pool as the page has it under `anchor`, with prices in `currency`."""
    facts = (
        pool.machine_type,
        plan_text.shape(pool),
        plan_text.provisioning(pool),
        ", ".join(pool.zones),
    )
    least, most = pool.nodes_at_minimum, pool.nodes_at_maximum
    return PoolView(
        pool=pool,
        anchor=anchor,
        strip=page_nodes.strip(pool),
        nodes=f"{amounts.limits(least, most)} {'node' if most == 1 else 'nodes'}",
        facts=tuple(filter(None, facts)),
        prices=_prices(pool, currency),
        sizes=_sizes(pool, tags),
        each=_each(pool),
        settings=_settings(pool),
    )


def _prices(pool: NodePool, currency: str) -> tuple[str, ...]:
    if pool.price is None:
        return ("no price known",)
    others = (
        ("on demand", pool.price_on_demand),
        ("Spot", pool.price_spot),
    )
    told = [
        f"{name} {amounts.money(price, currency, 'h')}"
        for name, price in others
        if price is not None and price != pool.price
    ]
    return (f"{amounts.money(pool.price, currency, 'h')} a node", *told)


def _each(pool: NodePool) -> str:
    whole = amounts.of_pod(replace(pool.machine, gpus=0))
    kept = amounts.of_pod(_minus(pool.machine, pool.usable))
    return f"{whole} each, of which the system keeps {kept}"


def _minus(whole: Amounts, part: Amounts) -> Amounts:
    """Return what is left of CPU and memory."""
    return Amounts(
        whole.cpu_millis - part.cpu_millis, whole.memory_bytes - part.memory_bytes
    )


def _sizes(pool: NodePool, tags: Tags) -> tuple[Size, ...]:
    if pool.minimum == pool.maximum:
        return (
            _size(
                "At minimum and maximum",
                pool.nodes_at_maximum,
                pool,
                pool.maximum,
                tags,
            ),
        )
    return (
        _size("At minimum", pool.nodes_at_minimum, pool, pool.minimum, tags),
        _size("At maximum", pool.nodes_at_maximum, pool, pool.maximum, tags),
    )


def _size(
    title: str, number: int, pool: NodePool, kinds: tuple[NodesAlike, ...], tags: Tags
) -> Size:
    views = tuple(_nodes(pool, alike, tags) for alike in kinds)
    nodes = amounts.count(number, "node") if number else "no nodes"
    return Size(title, nodes, views[:_KINDS_IN_SIGHT], views[_KINDS_IN_SIGHT:])


def _nodes(pool: NodePool, alike: NodesAlike, tags: Tags) -> NodesView:
    number = amounts.count(alike.nodes, "node")
    return NodesView(
        heading=f"{number} alike" if alike.nodes > 1 else number,
        picture=page_nodes.node(pool, alike, tags),
        pods=tuple(_pods(pods, tags) for pods in alike.pods),
        left=amounts.of_pod(alike.stranded),
    )


def _pods(pods: PodsOnNode, tags: Tags) -> PodLine:
    kind = "balloon" if pods.balloons else "pod"
    if pods.role == "system":
        kind = "set of system pods"
    return PodLine(
        tag=tags[pods.run, pods.group],
        look=page_nodes.look(pods, tags),
        name="/".join(filter(None, (pods.run, pods.group))),
        pods=f"{amounts.count(pods.pods, kind, kind + 's')}"
        f" of {amounts.of_pod(pods.pod)}",
    )


def _settings(pool: NodePool) -> dict[str, str]:
    """Return how the pool is set up, in words."""
    least, most = pool.total_min_node_count, pool.total_max_node_count
    taints = [f"{t.key}={t.value}:{t.effect}" for t in pool.taints]
    every = {
        "Limits of the autoscaler": amounts.limits(least, most),
        "Nodes at first": f"{pool.initial_node_count:,}",
        "Location policy": pool.location_policy,
        "Placement": pool.placement_policy or "",
        "Machine": amounts.of_pod(replace(pool.machine, gpus=0)),
        "Allocatable": amounts.of_pod(pool.allocatable),
        "For pods": amounts.of_pod(pool.usable),
        "Boot disk": f"{pool.boot_disk_gib:,} GiB",
        "Disks with images": ", ".join(pool.secondary_boot_disks),
        "Labels": ", ".join(f"{k}={v}" for k, v in sorted(pool.labels.items())),
        "Taints": ", ".join(taints),
    }
    return {name: text for name, text in every.items() if text}
