"""The plan as one page: pictures of every pool, cost, quotas; nothing from elsewhere.

The page has no script, and its policy lets it load nothing but its own style.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from ray_gke.planning.capacity import (
    Amounts,
    Capacity,
    Cost,
    GroupCapacity,
    NodePool,
    NodesAlike,
    PodsOnNode,
)
from ray_gke.reporting import amounts, page_cost, page_nodes, plan_text
from ray_gke.reporting.page_nodes import Tags
from ray_gke.reporting.page_shapes import Picture, colour

_KINDS_IN_SIGHT = 4
"""Kinds of nodes of a pool that are shown before one asks for all of them."""
_WARM = "Of the minimum, kept warm"
_NUMBER = re.compile(r"-|\D?[\d,.]+(/h)?")


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


@dataclass(frozen=True)
class GroupView:
    """A group with its number."""

    group: GroupCapacity
    tag: int
    look: str
    name: str
    anchor: str
    replicas: str


def page(capacity: Capacity) -> str:
    """Return the page, the same bytes for the same plan."""
    tags = _tags(capacity)
    anchors = {pool.name: f"pool-{n}" for n, pool in enumerate(capacity.pools, 1)}
    style = _style()
    return _template().render(
        capacity=capacity,
        cost=capacity.cost,
        place=plan_text.place(capacity),
        figures=_figures(capacity.cost),
        chart=page_cost.chart(capacity.cost),
        letters=page_cost.letters(capacity.cost),
        looks=page_cost.looks(capacity.cost),
        pools=[_pool(p, anchors[p.name], tags, capacity) for p in capacity.pools],
        groups=[_group(group, anchors, tags) for group in capacity.groups],
        cost_rows=plan_text.costs(capacity),
        quota_rows=plan_text.quotas(capacity),
        address_rows=plan_text.addresses(capacity),
        style=Markup(style),  # noqa: S704 a file of ours
        style_hash=_hash(style),
    )


def _tags(capacity: Capacity) -> Tags:
    """Return the number of each group, and of other pods on the pools' nodes."""
    of_groups = [(group.run, group.group) for group in capacity.groups]
    of_pods = [
        (pods.run, pods.group)
        for pool in capacity.pools
        for alike in (*pool.minimum, *pool.maximum)
        for pods in alike.pods
    ]
    every = dict.fromkeys([*of_groups, *of_pods])
    return {key: number for number, key in enumerate(every, 1)}


def _figures(cost: Cost) -> list[tuple[str, str, str]]:
    """Return what is read first: title, an hour, a month."""
    every = (
        ("Idle", cost.idle, cost.idle_per_month),
        ("Minimum", cost.minimum, cost.minimum_per_month),
        (_WARM, cost.warm, cost.warm_per_month),
        ("Maximum", cost.maximum, cost.maximum_per_month),
    )
    return [
        (title, amounts.money(hour, cost.currency), amounts.money(month, cost.currency))
        for title, hour, month in every
        if hour or title != _WARM
    ]


def _group(group: GroupCapacity, anchors: Mapping[str, str], tags: Tags) -> GroupView:
    tag = tags[group.run, group.group]
    warm = f", {group.warm_replicas} warm" if group.warm_replicas else ""
    return GroupView(
        group=group,
        tag=tag,
        look=colour(tag - 1),
        name=plan_text.of_run(group),
        anchor=anchors.get(group.pool, ""),
        replicas=amounts.limits(group.min_replicas, group.max_replicas) + warm,
    )


def _pool(pool: NodePool, anchor: str, tags: Tags, capacity: Capacity) -> PoolView:
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
        prices=_prices(pool, capacity.cost.currency),
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
    whole = amounts.of_pod(pool.machine)
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
        "Machine": amounts.of_pod(pool.machine),
        "Allocatable": amounts.of_pod(pool.allocatable),
        "For pods": amounts.of_pod(pool.usable),
        "Boot disk": f"{pool.boot_disk_gib:,} GiB",
        "Disks with images": ", ".join(pool.secondary_boot_disks),
        "Labels": ", ".join(f"{k}={v}" for k, v in sorted(pool.labels.items())),
        "Taints": ", ".join(taints),
    }
    return {name: text for name, text in every.items() if text}


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("ray_gke.reporting", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "short": lambda number: f"{number:.2f}".rstrip("0").rstrip("."),
        "money": amounts.money,
        "of_pod": amounts.of_pod,
        "sentence": lambda text: f"{text[:1].upper()}{text[1:].removesuffix('.')}.",
    }
    environment.tests["number"] = _NUMBER.fullmatch
    return environment.get_template("plan_page.html.j2")


@cache
def _style() -> str:
    file = resources.files("ray_gke.reporting") / "plan_page.css"
    return file.read_text("utf-8")


def _hash(style: str) -> str:
    digest = hashlib.sha256(style.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
