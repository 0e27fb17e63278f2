"""Which quotas the nodes of all pools need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ray_gke.gke.quotas import Metric, per_node
from ray_gke.planning.capacity import Quota
from ray_gke.planning.node_pools import Pool
from ray_gke.planning.site import Site

_NAT = "IN_USE_ADDRESSES"
"""Nodes are private: only Cloud NAT has an external address."""


def quotas(pools: Iterable[Pool], system: Pool, site: Site) -> tuple[Quota, ...]:
    """Return every quota and how much of it is needed, regional ones first."""
    minimum: Counter[Metric] = Counter()
    maximum: Counter[Metric] = Counter()
    # Nodes by what each takes of a metric.
    nodes: dict[Metric, Counter[int]] = {}
    for pool in (system, *pools):
        for metric, amount in _taken(pool):
            minimum[metric] += amount * pool.node_pool.nodes_at_minimum
            maximum[metric] += amount * pool.node_pool.total_max_node_count
            counted = nodes.setdefault(metric, Counter())
            if pool is not system:
                counted[amount] += pool.node_pool.total_max_node_count
    own = dict(_taken(system))
    nat = Quota(_NAT, site.region, {}, 1, 1, "IPs", "1 for Cloud NAT")
    return (
        nat,
        *(
            Quota(
                metric=metric.name,
                region=None if metric.global_ else site.region,
                dimensions=dict(metric.dimensions),
                at_minimum=minimum[metric],
                at_maximum=maximum[metric],
                unit=metric.unit,
                counted=" + ".join(_counted(metric, nodes[metric], system, own)),
                certain=metric.certain,
            )
            for metric in sorted(nodes, key=lambda m: (m.global_, m.name, m.dimensions))
        ),
    )


def _taken(pool: Pool) -> Iterator[tuple[Metric, int]]:
    disk = pool.node_pool.boot_disk_gib
    yield from per_node(pool.machine, pool.provisioning, disk).items()


def _counted(
    metric: Metric, nodes: Counter[int], system: Pool, own: dict[Metric, int]
) -> Iterator[str]:
    """Say how the maximum is made up; limits count the nodes of all zones."""
    if metric in own:
        zones = system.node_pool.nodes_at_maximum
        yield f"{_some(zones, 'zones')} x 1 node x {_some(own[metric], metric.unit)}"
    for amount, count in sorted(nodes.items()):
        yield f"{_some(count, 'nodes')} x {_some(amount, metric.unit)}"


def _some(count: int, unit: str) -> str:
    return f"{count} {unit.removesuffix('s') if count == 1 else unit}"
