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

from ray_gke.planning.capacity import Capacity, Cost, GroupCapacity
from ray_gke.reporting import amounts, page_cost, page_pools, plan_text
from ray_gke.reporting.page_nodes import Tags
from ray_gke.reporting.page_shapes import colour

_WARM = "Of that, kept warm"
_NUMBER = re.compile(r"-|\D?[\d,.]+(/h)?")


@dataclass(frozen=True)
class GroupView:
    """A group with its number."""

    group: GroupCapacity
    tag: int
    look: str
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
        pools=[
            page_pools.view(p, anchors[p.name], tags, capacity.cost.currency)
            for p in capacity.pools
        ],
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
        (
            title,
            amounts.money(hour, cost.currency, "h"),
            amounts.money(month, cost.currency),
        )
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
        anchor=anchors.get(group.pool, ""),
        replicas=amounts.limits(group.min_replicas, group.max_replicas) + warm,
    )


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
        "heading": lambda text: text.capitalize().replace("spot", "Spot"),
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
