"""What a platform costs, as an estimate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from ray_gke.gke.prices import HOURS_PER_MONTH, Prices
from ray_gke.planning.capacity import Cost, CostItem, NodePool
from ray_gke.planning.pool_names import SYSTEM_POOL
from ray_gke.planning.runs import PlatformFacts
from ray_gke.planning.site import Site

_NOTHING = Decimal(0)
_MILLIONTH = Decimal("0.000001")
_DISK = "pd-balanced"


def cost(
    pools: Sequence[NodePool],
    warm_nodes: Mapping[str, int],
    site: Site,
    platform: PlatformFacts,
) -> Cost:
    """Return what `pools` and their cluster cost.

    `warm_nodes` says how many nodes of each pool are there at minimum for warm
    replicas alone.
    """
    prices = site.prices
    items = (
        _fee(prices),
        *(_pool(pool, warm_nodes.get(pool.name, 0)) for pool in pools),
        _disks(pools, warm_nodes, prices),
    )
    idle, minimum, maximum, warm = (
        _sum(getattr(item, part) for item in items)
        for part in ("idle", "minimum", "maximum", "warm")
    )
    return Cost(
        currency=prices.currency,
        prices_date=prices.date,
        prices_source=prices.source,
        prices_region=prices.region,
        items=items,
        idle=idle,
        minimum=minimum,
        maximum=maximum,
        warm=warm,
        idle_per_month=_exact(idle * HOURS_PER_MONTH),
        minimum_per_month=_exact(minimum * HOURS_PER_MONTH),
        maximum_per_month=_exact(maximum * HOURS_PER_MONTH),
        warm_per_month=_exact(warm * HOURS_PER_MONTH),
        unpriced=tuple(_unpriced(pools, prices)),
        notes=tuple(_notes(pools, site, platform)),
    )


def _fee(prices: Prices) -> CostItem:
    fee = _exact(prices.cluster_fee)
    return CostItem("cluster fee", fee, fee, fee, _NOTHING, fee, fee)


def _pool(pool: NodePool, warm_nodes: int) -> CostItem:
    always = pool.nodes_at_minimum if pool.name == SYSTEM_POOL else 0
    return CostItem(
        what=pool.name,
        idle=_times(pool.price, always),
        minimum=_times(pool.price, pool.nodes_at_minimum),
        maximum=_times(pool.price, pool.nodes_at_maximum),
        warm=_times(pool.price, warm_nodes),
        on_demand=_times(pool.price_on_demand, pool.nodes_at_maximum),
        spot=_times(pool.price_spot, pool.nodes_at_maximum),
    )


def _disks(
    pools: Sequence[NodePool], warm_nodes: Mapping[str, int], prices: Prices
) -> CostItem:
    per_month = prices.disks.get(_DISK)
    each = None if per_month is None else per_month / HOURS_PER_MONTH
    always = sum(p.nodes_at_minimum * p.boot_disk_gib for p in pools[:1])
    least = sum(p.nodes_at_minimum * p.boot_disk_gib for p in pools)
    most = _times(each, sum(p.nodes_at_maximum * p.boot_disk_gib for p in pools))
    warm = sum(warm_nodes.get(p.name, 0) * p.boot_disk_gib for p in pools)
    return CostItem(
        what=f"boot disks ({_DISK})",
        idle=_times(each, always),
        minimum=_times(each, least),
        maximum=most,
        warm=_times(each, warm),
        on_demand=most,
        spot=most,
    )


def _unpriced(pools: Sequence[NodePool], prices: Prices) -> Iterator[str]:
    for pool in pools:
        if pool.price is None:
            kind = " as Spot" if pool.provisioning == "spot" else ""
            yield f"{pool.name}: {pool.machine_type}{kind}"
    if _DISK not in prices.disks:
        yield f"boot disks: {_DISK}"


def _notes(
    pools: Sequence[NodePool], site: Site, platform: PlatformFacts
) -> Iterator[str]:
    prices, kinds = site.prices, {pool.provisioning for pool in pools}
    yield "not a quote: network traffic, load balancers and logs come on top"
    if prices.region != site.region:
        yield (
            f"prices of {site.region} are not known here: use --prices FILE, which "
            f"ray-gke prices --refresh --region {site.region} writes"
        )
    if any(pool.price_spot is not None for pool in pools):
        yield "Spot prices are hints: the real ones may change daily"
    if "flex-start" in kinds:
        yield "flex-start is counted as on demand, which is the most it can cost"
    if "reservation" in kinds:
        yield "a reservation is paid for whether its nodes are used or not"
    if not platform.regional:
        yield (
            "Google's monthly credit of 74.40 USD pays the fee of one zonal cluster "
            "per billing account"
        )


def _times(price: Decimal | None, count: int) -> Decimal | None:
    # What is not there costs nothing, whatever its price.
    if not count:
        return _NOTHING
    return None if price is None else _exact(price * count)


def _sum(parts: Iterator[Decimal | None]) -> Decimal:
    return _exact(sum((part for part in parts if part is not None), _NOTHING))


def _exact(amount: Decimal) -> Decimal:
    return amount.quantize(_MILLIONTH)
