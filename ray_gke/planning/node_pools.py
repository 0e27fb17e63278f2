"""Groups to node pools: one for each kind of nodes, with its limits and its pods.

Sources: GKE "Cluster autoscaler" (location policies; ANY needs no initial nodes),
google_container_node_pool (limits of a whole pool), kubernetes/autoscaler.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ray_gke.errors import Problem
from ray_gke.gke import nodes
from ray_gke.gke.allocatable import SYSTEM_PODS_PER_NODE, allocatable, usable
from ray_gke.gke.machines import Machine, machine
from ray_gke.gke.nodes import Provisioning, Shape, Taint
from ray_gke.gke.zones import offered
from ray_gke.planning.candidates import price
from ray_gke.planning.capacity import Amounts, NodePool, NodesAlike, PoolTaint
from ray_gke.planning.divisions import available
from ray_gke.planning.packing import Room, node_count, pack
from ray_gke.planning.pool_names import SYSTEM_POOL, Nodes, name_of
from ray_gke.planning.runs import Member, PlatformFacts
from ray_gke.planning.site import Site

SYSTEM_MACHINE = "e2-standard-4"

_SYSTEM_TAINT = Taint("components.gke.io/gke-managed-components", "true")
"""Only what GKE manages tolerates it: Ray's pods stay off."""

_REGIONAL_ZONES = 3
"""GKE puts the nodes of a regional cluster into so many zones, when nobody says."""


@dataclass(frozen=True)
class Pool:
    """A node pool with what it was made from.

    `members` are in an order that does not depend on that of the runs. `lacking` are
    zones that were asked for and do not have its GPU.
    """

    node_pool: NodePool
    machine: Machine
    provisioning: Provisioning
    room: Room
    members: tuple[Member, ...] = ()
    nodes_without_warm: int = 0
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Filled:
    """The pods on the nodes of a pool, and its limits.

    `apart` nodes hold all pods when each size has its own: pods do not come in the
    order that packs them best.
    """

    minimum: tuple[NodesAlike, ...]
    maximum: tuple[NodesAlike, ...]
    initial: int = 0
    total_min: int = 0
    apart: int = 0


def faults(platform: PlatformFacts) -> Iterator[Problem]:
    """Yield a problem where GKE's own pods leave a node no room for others."""
    if platform.max_pods_per_node <= SYSTEM_PODS_PER_NODE:
        yield Problem(
            f"max_pods_per_node {platform.max_pods_per_node} leaves no room beside "
            f"the {SYSTEM_PODS_PER_NODE} pods that GKE itself runs on a node",
            platform.places.get("max_pods_per_node"),
            f"use at least {SYSTEM_PODS_PER_NODE + 1}; GKE's default is 110",
        )


def node_pools(
    members: Iterable[Member], site: Site, platform: PlatformFacts
) -> tuple[Pool, ...]:
    """Return the pools that carry all `members`, by name."""
    together: dict[str, list[Member]] = {}
    for member in members:
        together.setdefault(name_of(_nodes(member)), []).append(member)
    return tuple(
        _pool(name, together[name], site, platform) for name in sorted(together)
    )


def system_pool(site: Site, platform: PlatformFacts) -> Pool:
    """Return the cluster's own pool: one node in each zone, never more or less."""
    zones = len(site.zones) or (_REGIONAL_ZONES if platform.regional else 1)
    carrier = machine(SYSTEM_MACHINE, None, 0)
    kind = Nodes(Shape(), carrier, 0, (), None, ())
    room = _room(kind, platform)
    filled = (NodesAlike(zones, (), room.amounts),)
    return Pool(
        _node_pool(
            SYSTEM_POOL,
            (kind, site.zones, (_SYSTEM_TAINT,)),
            _Filled(filled, filled, initial=1, total_min=zones),
            site,
            platform,
            may_be_spot=False,
        ),
        carrier,
        "standard",
        room,
        nodes_without_warm=zones,
    )


def at_minimum(
    members: Iterable[Member], warm: Iterable[int], room: Room
) -> tuple[NodesAlike, ...]:
    """Place min_replicas of all, and so many balloons of each."""
    return pack(
        (
            pods
            for member, balloons in zip(members, warm, strict=True)
            for pods in (
                *member.pods(member.group.min_replicas),
                *member.pods(balloons, balloons=True),
            )
        ),
        room,
    )


def _pool(
    name: str, members: Sequence[Member], site: Site, platform: PlatformFacts
) -> Pool:
    kind = _nodes(members[0])
    ordered = tuple(sorted(members, key=_order))
    room = _room(kind, platform)
    warm = [member.group.warm_replicas for member in ordered]
    minimum = at_minimum(ordered, warm, room)
    without = at_minimum(ordered, [0] * len(warm), room) if any(warm) else minimum
    maximum = pack(
        (pods for each in ordered for pods in each.pods(each.group.max_replicas)), room
    )
    # First fit may need more nodes for fewer pods; a limit must hold both.
    spare = node_count(without) - node_count(maximum)
    if spare > 0:
        maximum += (NodesAlike(spare, (), room.amounts),)
    zones, lacking = _zones(kind, site)
    where = (kind, zones, nodes.taints(kind.shape))
    filled = _Filled(minimum, maximum, apart=_apart(ordered, room))
    return Pool(
        _node_pool(
            name,
            where,
            filled,
            site,
            platform,
            # Heads stay on demand, and so do the pods that submit jobs.
            may_be_spot=all(one.group.role == "worker" for one in ordered),
        ),
        kind.machine,
        kind.shape.provisioning,
        room,
        ordered,
        node_count(without),
        lacking,
    )


def _apart(members: Sequence[Member], room: Room) -> int:
    sizes: Counter[Amounts] = Counter()
    for member in members:
        sizes[member.pod] += member.group.max_replicas
    return sum(-(-count // room.slots(pod)) for pod, count in sizes.items())


def _nodes(member: Member) -> Nodes:
    """What cannot be placed was refused before."""
    assert member.group.nodes
    return member.group.nodes


def _order(member: Member) -> tuple[str, str, str]:
    return (member.run.plan.name, member.run.namespace or "", member.group.name)


def _node_pool(  # noqa: PLR0913 each comes from somewhere else
    name: str,
    where: tuple[Nodes, tuple[str, ...], tuple[Taint, ...]],
    filled: _Filled,
    site: Site,
    platform: PlatformFacts,
    *,
    may_be_spot: bool,
) -> NodePool:
    kind, zones, taints = where
    shape, carrier = kind.shape, kind.machine
    at_maximum = node_count(filled.maximum)
    gives, leaves = allocatable(carrier.type), usable(carrier.type)
    return NodePool(
        name=name,
        machine_type=carrier.type.name,
        accelerator=shape.accelerator,
        gpus_per_node=carrier.gpus,
        devices_per_node=kind.devices,
        partition=shape.partition,
        sharing_strategy=shape.sharing_strategy,
        max_shared_clients_per_gpu=shape.max_shared_clients_per_gpu,
        provisioning=shape.provisioning,
        reservation=shape.reservation,
        queued_provisioning=shape.queued_provisioning,
        placement_policy=kind.placement_policy,
        secondary_boot_disks=kind.secondary_boot_disks,
        zones=zones,
        initial_node_count=filled.initial,
        total_min_node_count=filled.total_min,
        total_max_node_count=max(at_maximum, filled.apart),
        location_policy=_location_policy(shape),
        labels=nodes.labels(shape) | dict(kind.labels) | {nodes.NODE_POOL: name},
        taints=tuple(PoolTaint(t.key, t.value, t.effect) for t in taints),
        machine=Amounts(
            carrier.type.vcpus * 1000, carrier.type.memory_bytes, carrier.gpus
        ),
        allocatable=Amounts(gives.cpu_millis, gives.memory_bytes, kind.devices),
        usable=Amounts(leaves.cpu_millis, leaves.memory_bytes, kind.devices),
        boot_disk_gib=platform.boot_disk_gib,
        price=price(carrier, shape.provisioning, site.prices),
        price_on_demand=_price(carrier, "standard", site),
        price_spot=_price(carrier, "spot", site) if may_be_spot else None,
        minimum=filled.minimum,
        maximum=filled.maximum,
        nodes_at_minimum=node_count(filled.minimum),
        nodes_at_maximum=at_maximum,
    )


def _price(carrier: Machine, kind: Provisioning, site: Site) -> Decimal | None:
    return price(carrier, kind, site.prices) if available(carrier, kind) else None


def _room(kind: Nodes, platform: PlatformFacts) -> Room:
    """Return what pods may have of a node; the platform may allow fewer pods."""
    node = usable(kind.machine.type)
    pods = platform.max_pods_per_node - SYSTEM_PODS_PER_NODE
    return Room(node.cpu_millis, node.memory_bytes, kind.devices, pods)


def _zones(kind: Nodes, site: Site) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the zones of the nodes, and those asked for that lack the GPU."""
    asked = kind.zones or site.zones
    known = offered(kind.shape.accelerator, site.region)
    if known is None or not asked:
        return asked or known or (), ()
    have = tuple(zone for zone in asked if zone in known)
    return have or asked, tuple(zone for zone in asked if zone not in known)


def _location_policy(shape: Shape) -> Literal["ANY", "BALANCED"]:
    """Take nodes wherever there are any, where they are scarce."""
    if shape.provisioning == "reservation":
        return "BALANCED"
    scarce = shape.accelerator or shape.provisioning != "standard"
    return "ANY" if scarce else "BALANCED"
