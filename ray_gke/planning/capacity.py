"""The answer of `ray-gke plan`: what a platform needs of Google Cloud, as data.

These types are also the documented JSON (`ray-gke schema plan`): field for field.
Amounts of memory are bytes, of CPU thousandths of a core, prices are per hour in
`Cost.currency` unless their name says otherwise. A price that is not known is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Role = Literal["head", "worker", "submitter", "system"]


@dataclass(frozen=True)
class Amounts:
    """CPU, memory and GPU devices (GPUs, partitions or shares) of a pod or a node."""

    cpu_millis: int
    memory_bytes: int
    gpus: int = 0


@dataclass(frozen=True)
class Alternative:
    """A shape that would also do, and what all of the group would cost on it."""

    shape: str
    machine_type: str
    nodes_at_maximum: int
    price_at_maximum: Decimal | None
    price_per_slot: Decimal | None


@dataclass(frozen=True)
class GroupCapacity:
    """One group of one run: which pool carries it, and how it fits.

    `run` is the name of the run, `group` KubeRay's name of the group. `pod` is all of
    a pod's containers. `slots_per_node` pods fit on a node, `limit` is what binds:
    cpu, memory, nvidia.com/gpu or pods. `reason` says why this shape, and
    `runners_up` what else would do.
    """

    run: str
    blueprint: str
    namespace: str | None
    group: str
    role: Role
    pool: str
    min_replicas: int
    max_replicas: int
    warm_replicas: int
    pod: Amounts
    slots_per_node: int
    limit: str
    price_per_slot: Decimal | None
    reason: str
    runners_up: tuple[Alternative, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PodsOnNode:
    """So many equal pods on a node; balloons hold places of the group's workers."""

    run: str
    group: str
    role: Role
    pods: int
    pod: Amounts
    balloons: bool = False


@dataclass(frozen=True)
class NodesAlike:
    """`nodes` nodes that all carry the same pods; `stranded` is what is left of one."""

    nodes: int
    pods: tuple[PodsOnNode, ...]
    stranded: Amounts


@dataclass(frozen=True)
class PoolTaint:
    """As Kubernetes spells it."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True)
class NodePool:
    """A node pool of GKE, derived from groups.

    `gpus_per_node` are physical GPUs, `devices_per_node` what pods ask for as
    nvidia.com/gpu. `allocatable` is what GKE leaves of the machine, `usable` what the
    system's own pods leave of that. Limits count nodes of the whole pool, in all
    zones. `zones` is empty where GKE may choose. `minimum` and `maximum` are the
    pods on nodes when all groups have their min_replicas, with warm replicas beside
    them, and their max_replicas.
    """

    name: str
    machine_type: str
    accelerator: str | None
    gpus_per_node: int
    devices_per_node: int
    partition: str | None
    sharing_strategy: str | None
    max_shared_clients_per_gpu: int | None
    provisioning: str
    reservation: str | None
    queued_provisioning: bool
    placement_policy: str | None
    secondary_boot_disks: tuple[str, ...]
    zones: tuple[str, ...]
    initial_node_count: int
    total_min_node_count: int
    total_max_node_count: int
    location_policy: Literal["ANY", "BALANCED"]
    labels: dict[str, str]
    taints: tuple[PoolTaint, ...]
    machine: Amounts
    allocatable: Amounts
    usable: Amounts
    boot_disk_gib: int
    price: Decimal | None
    price_on_demand: Decimal | None
    price_spot: Decimal | None
    minimum: tuple[NodesAlike, ...]
    maximum: tuple[NodesAlike, ...]
    nodes_at_minimum: int
    nodes_at_maximum: int


@dataclass(frozen=True)
class Quota:
    """One quota of Google Cloud, and how much of it is needed.

    `region` is null for a global quota. `certain` is false where Google's documents
    disagree whether it binds. `counted` says how the maximum is made up.
    """

    metric: str
    region: str | None
    dimensions: dict[str, str]
    at_minimum: int
    at_maximum: int
    unit: str
    counted: str
    certain: bool = True


@dataclass(frozen=True)
class AddressRange:
    """A range of the network and how many of its addresses are used.

    `range` is null, and so is `size`, where the platform file does not say one.
    """

    purpose: Literal["nodes", "pods", "services"]
    range: str | None
    size: int | None
    at_minimum: int
    at_maximum: int


@dataclass(frozen=True)
class CostItem:
    """What one thing costs an hour: a pool, the cluster, its system pool, disks.

    `on_demand` and `spot` are its maximum if it were all the one or the other.
    """

    what: str
    idle: Decimal | None
    minimum: Decimal | None
    maximum: Decimal | None
    warm: Decimal | None
    on_demand: Decimal | None
    spot: Decimal | None


@dataclass(frozen=True)
class Cost:
    """An estimate, per hour and per month of 730 hours.

    `idle`: the cluster with nothing on it. `minimum`: all groups at min_replicas with
    their warm replicas; `maximum`: all at max_replicas. `warm` is the part of minimum
    that warm replicas cause. Sums leave out what has no price: `unpriced` names it.
    """

    currency: str
    prices_date: str
    prices_source: str
    prices_region: str
    items: tuple[CostItem, ...]
    idle: Decimal
    minimum: Decimal
    maximum: Decimal
    warm: Decimal
    idle_per_month: Decimal
    minimum_per_month: Decimal
    maximum_per_month: Decimal
    warm_per_month: Decimal
    unpriced: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Capacity:
    """Everything that is needed, before anything is created."""

    platform: str | None
    target: str
    project: str | None
    region: str
    zones: tuple[str, ...]
    autoscaling_profile: str
    groups: tuple[GroupCapacity, ...]
    pools: tuple[NodePool, ...]
    quotas: tuple[Quota, ...]
    address_ranges: tuple[AddressRange, ...]
    cost: Cost
    warnings: tuple[str, ...]
