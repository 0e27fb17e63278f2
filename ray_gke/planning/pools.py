"""The plan of a whole platform: pools, what they carry, what they take and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ray_gke.errors import InvalidError, Problem
from ray_gke.planning import addresses, group_notes, warm
from ray_gke.planning.candidates import Candidate, price_per_slot
from ray_gke.planning.capacity import Alternative, Capacity, GroupCapacity
from ray_gke.planning.costs import cost
from ray_gke.planning.node_pools import Pool, faults, node_pools, system_pool
from ray_gke.planning.pool_names import name_of
from ray_gke.planning.quotas import quotas
from ray_gke.planning.runs import Member, PlatformFacts, Run, members
from ray_gke.planning.shape_words import described
from ray_gke.planning.site import Site

AUTOSCALING_PROFILE = "OPTIMIZE_UTILIZATION"
"""Nodes that are hardly used go soon, and pods are packed densely."""


def capacity(
    runs: Sequence[Run], site: Site, platform: PlatformFacts | None = None
) -> Capacity:
    """Return what `runs` need of Google Cloud together.

    Every group must have its `choice`. Raises InvalidError with everything that can
    never be: warm replicas without a place, address ranges that are too small.
    """
    platform = platform or PlatformFacts()
    if impossible := list(faults(platform)):
        raise InvalidError.of(impossible)
    users = [member for run in runs for member in members(run)]
    system, pools = system_pool(site, platform), node_pools(users, site, platform)
    together = [pool.node_pool for pool in (system, *pools)]
    nodes = (
        sum(pool.nodes_at_minimum for pool in together),
        sum(pool.total_max_node_count for pool in together),
    )
    ranges = addresses.address_ranges(nodes, len(runs), platform)
    problems: list[Problem] = [fault for pool in pools for fault in warm.faults(pool)]
    problems += addresses.faults(ranges, platform)
    if problems:
        raise InvalidError.of(problems)
    return Capacity(
        platform=platform.name,
        target=site.target,
        project=platform.project,
        region=site.region,
        zones=site.zones,
        autoscaling_profile=AUTOSCALING_PROFILE,
        groups=_groups(users, {pool.node_pool.name: pool for pool in pools}),
        pools=tuple(together),
        quotas=quotas(pools, system, site),
        address_ranges=ranges,
        cost=cost(together, _warm_nodes(pools), site, platform),
        warnings=(
            *addresses.warnings(ranges),
            *(f"{run.plan.name}: {note}" for run in runs for note in run.plan.notes),
        ),
    )


def _groups(
    users: Sequence[Member], pools: Mapping[str, Pool]
) -> tuple[GroupCapacity, ...]:
    return tuple(
        _group(user, pools[name_of(user.group.nodes)])
        for user in users
        if user.group.nodes
    )


def _group(member: Member, pool: Pool) -> GroupCapacity:
    run, group = member.run, member.group
    assert group.choice
    best = group.choice.best
    return GroupCapacity(
        run=run.plan.name,
        blueprint=run.plan.blueprint,
        namespace=run.namespace,
        group=group.name,
        role=group.role,
        pool=pool.node_pool.name,
        min_replicas=group.min_replicas,
        max_replicas=group.max_replicas,
        warm_replicas=group.warm_replicas,
        pod=member.pod,
        slots_per_node=best.slots,
        limit=best.limit,
        price_per_slot=price_per_slot(best.price, best.slots),
        reason=group.choice.reason,
        runners_up=tuple(_alternative(one) for one in group.choice.runners_up),
        notes=tuple(group_notes.notes(member, pool)),
    )


def _alternative(candidate: Candidate) -> Alternative:
    price, nodes = candidate.price, candidate.nodes_at_maximum
    return Alternative(
        shape=described(candidate.shape),
        machine_type=candidate.machine.type.name,
        nodes_at_maximum=nodes,
        price_at_maximum=None if price is None else price * nodes,
        price_per_slot=price_per_slot(price, candidate.slots),
    )


def _warm_nodes(pools: Sequence[Pool]) -> dict[str, int]:
    """Nodes that are there at minimum for warm replicas alone."""
    # First fit may need fewer nodes for more pods: then they cost nothing.
    return {
        pool.node_pool.name: max(
            0, pool.node_pool.nodes_at_minimum - pool.nodes_without_warm
        )
        for pool in pools
    }
