"""The plan as tables for people; what is empty is not mentioned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from ray_gke.gke.prices import HOURS_PER_MONTH
from ray_gke.planning.capacity import Capacity, CostItem, GroupCapacity, NodePool
from ray_gke.reporting.amounts import UNKNOWN, count, cpus, gib, limits, money
from ray_gke.reporting.rows import Rows


@dataclass(frozen=True)
class Section:
    """A title, a table under it, and lines under that."""

    title: str
    rows: Rows
    lines: tuple[str, ...] = ()


def show(capacity: Capacity) -> None:
    """Print the plan."""
    from ray_gke.reporting import terminal

    terminal.print_lines("", [headline(capacity)])
    for section in sections(capacity):
        terminal.print_lines(f"\n{section.title}", [])
        if section.rows:
            terminal.print_rows(section.rows)
        terminal.print_lines("", list(section.lines))


def headline(capacity: Capacity) -> str:
    """Return what the plan is for, in a line."""
    name = f"{capacity.platform}: " if capacity.platform else ""
    return name + place(capacity)


def place(capacity: Capacity) -> str:
    """Return where it is to run: target, region, zones, project."""
    zones = f" ({', '.join(capacity.zones)})" if capacity.zones else ""
    project = f", project {capacity.project}" if capacity.project else ""
    return f"{capacity.target}, {capacity.region}{zones}{project}"


def sections(capacity: Capacity) -> tuple[Section, ...]:
    """Return everything there is to tell, warnings last."""
    every = (
        Section("Groups", _groups(capacity), tuple(_notes(capacity))),
        Section("Other shapes that would do", _runners_up(capacity)),
        Section("Node pools", _pools(capacity)),
        Section("Stranded on each node, at maximum", _stranded(capacity)),
        Section("Warm capacity", _warm(capacity), tuple(_about_warm(capacity))),
        Section("Quota needed", quotas(capacity)),
        Section("Addresses needed", addresses(capacity)),
        Section("Cost, an estimate", costs(capacity), tuple(about_cost(capacity))),
        Section("Warnings", [], tuple(f"! {line}" for line in capacity.warnings)),
    )
    return tuple(section for section in every if section.rows or section.lines)


def shape(pool: NodePool) -> str:
    """Return the GPUs of one node and how they are divided: `1 x nvidia-l4`."""
    if not pool.accelerator:
        return ""
    parts = [f"{pool.gpus_per_node} x {pool.accelerator}"]
    if pool.partition:
        parts.append(f"partitions of {pool.partition}")
    if pool.sharing_strategy:
        clients = pool.max_shared_clients_per_gpu
        parts.append(f"{pool.sharing_strategy} by {clients}")
    if pool.devices_per_node != pool.gpus_per_node:
        parts.append(f"{pool.devices_per_node} devices")
    return ", ".join(parts)


def provisioning(pool: NodePool) -> str:
    """Return how nodes are bought: `spot`, `reservation team-a`."""
    queued = ", queued" if pool.queued_provisioning else ""
    return f"{pool.provisioning} {pool.reservation or ''}".strip() + queued


def of_run(group: GroupCapacity) -> str:
    """Return the name that people know a group by."""
    return f"{group.run}/{group.group}"


def _groups(capacity: Capacity) -> Rows:
    currency = capacity.cost.currency
    return [
        {
            "GROUP": of_run(group),
            "REPLICAS": limits(group.min_replicas, group.max_replicas),
            "POOL": group.pool,
            "SLOTS A NODE": f"{group.slots_per_node} by {group.limit}",
            "PRICE A SLOT": money(group.price_per_slot, currency, "h"),
            "WHY": group.reason,
        }
        for group in capacity.groups
    ]


def _notes(capacity: Capacity) -> Iterator[str]:
    """Tell once what is true of several groups."""
    about: dict[str, list[str]] = {}
    for group in capacity.groups:
        for note in group.notes:
            about.setdefault(note, []).append(of_run(group))
    for note, names in about.items():
        yield f"{', '.join(names)}: {note}"


def _runners_up(capacity: Capacity) -> Rows:
    currency = capacity.cost.currency
    return [
        {
            "GROUP": of_run(group),
            "PRICE A SLOT": money(other.price_per_slot, currency, "h"),
            "AT MAXIMUM": money(other.price_at_maximum, currency, "h"),
            "NODES": f"{other.nodes_at_maximum:,}",
            "MACHINE": other.machine_type,
            "SHAPE": other.shape,
        }
        for group in capacity.groups
        for other in group.runners_up
    ]


def _pools(capacity: Capacity) -> Rows:
    rows = [
        {
            "POOL": pool.name,
            "NODES": limits(pool.nodes_at_minimum, pool.nodes_at_maximum),
            "PRICE A NODE": money(pool.price, capacity.cost.currency, "h"),
            "PROVISIONING": provisioning(pool),
            "MACHINE": pool.machine_type,
            "GPUS": shape(pool),
        }
        for pool in capacity.pools
    ]
    return _without_empty(rows, "GPUS")


def _stranded(capacity: Capacity) -> Rows:
    rows = [
        {
            "POOL": pool.name,
            "NODES": f"{alike.nodes:,}",
            "CPU": cpus(alike.stranded.cpu_millis),
            "MEMORY": gib(alike.stranded.memory_bytes),
            "NVIDIA.COM/GPU": str(alike.stranded.gpus or ""),
        }
        for pool in capacity.pools
        for alike in pool.maximum
        if alike.pods
    ]
    return _without_empty(rows, "NVIDIA.COM/GPU")


def _warm(capacity: Capacity) -> Rows:
    return [
        {
            "GROUP": of_run(group),
            "WARM": count(group.warm_replicas, "replica"),
            "POOL": group.pool,
        }
        for group in capacity.groups
        if group.warm_replicas
    ]


def _about_warm(capacity: Capacity) -> Iterator[str]:
    cost = capacity.cost
    if any(group.warm_replicas for group in capacity.groups):
        hour = money(cost.warm, cost.currency)
        month = money(cost.warm_per_month, cost.currency)
        yield f"Together {hour} an hour, {month} a month; the minimum includes it."


def quotas(capacity: Capacity) -> Rows:
    """Return a row per quota."""
    rows = [
        {
            "QUOTA": " ".join([quota.metric, *quota.dimensions.values()]),
            "REGION": quota.region or "global",
            "MINIMUM": f"{quota.at_minimum:,}",
            "MAXIMUM": f"{quota.at_maximum:,}",
            "UNIT": quota.unit,
            "COUNTED": quota.counted + ("" if quota.certain else " (not certain)"),
        }
        for quota in capacity.quotas
    ]
    return _without_empty(rows, "UNIT", "COUNTED")


def addresses(capacity: Capacity) -> Rows:
    """Return a row per range of the network."""
    return [
        {
            "FOR": found.purpose,
            "MINIMUM": f"{found.at_minimum:,}",
            "MAXIMUM": f"{found.at_maximum:,}",
            "OF": UNKNOWN if found.size is None else f"{found.size:,}",
            "RANGE": found.range or UNKNOWN,
        }
        for found in capacity.address_ranges
    ]


def costs(capacity: Capacity) -> Rows:
    """Return a row per item, then the sums of an hour and of a month."""
    cost = capacity.cost
    month = (
        f"All, a month of {HOURS_PER_MONTH} hours",
        cost.idle_per_month,
        cost.minimum_per_month,
        cost.maximum_per_month,
        cost.warm_per_month,
    )
    items = [_item(item, cost.currency) for item in cost.items]
    hour = ("All, an hour", cost.idle, cost.minimum, cost.maximum, cost.warm)
    sums = [
        _row(name, [money(amount, cost.currency) for amount in amounts])
        for name, *amounts in (hour, month)
    ]
    empty = {"WARM": not cost.warm}
    return [
        {key: value for key, value in row.items() if not empty.get(key)}
        for row in (*items, *sums)
    ]


def _item(item: CostItem, currency: str) -> dict[str, str]:
    amounts = (
        item.idle,
        item.minimum,
        item.maximum,
        item.warm,
        item.on_demand,
        item.spot,
    )
    return _row(item.what, [_some(amount, currency) for amount in amounts])


def _some(amount: Decimal | None, currency: str) -> str:
    """Return an amount; what costs nothing is not mentioned."""
    return "" if amount == 0 else money(amount, currency, "h")


def _row(name: str, amounts: list[str]) -> dict[str, str]:
    headings = ("IDLE", "MINIMUM", "MAXIMUM", "WARM", "IF ON DEMAND", "IF SPOT")
    cells = [*amounts, *[""] * len(headings)]
    return {"WHAT": name, **dict(zip(headings, cells, strict=False))}


def about_cost(capacity: Capacity) -> Iterator[str]:
    """Yield what is to be known of the sums: which prices, and what has none."""
    cost = capacity.cost
    yield (
        f"Estimate with prices of {cost.prices_date} for {cost.prices_region}"
        f" ({cost.prices_source}), per hour."
    )
    if cost.unpriced:
        yield f"Without a price, and not in the sums: {', '.join(cost.unpriced)}."
    yield from (f"{note[:1].upper()}{note[1:]}." for note in cost.notes)


def _without_empty(rows: Rows, *headings: str) -> Rows:
    """Return the rows without those columns that hold nothing."""
    empty = {name for name in headings if not any(row[name] for row in rows)}
    return [{k: v for k, v in row.items() if k not in empty} for row in rows]
