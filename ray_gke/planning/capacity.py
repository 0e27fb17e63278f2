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
    """CPU, memory and GPU devices (GPUs, partitions or shares) of a pod or a node.

    `cpu_millis` are thousandths of a core. `memory_bytes` is memory, without that of
    GPUs. `gpus` are devices as pods ask for them, nvidia.com/gpu.
    """

    cpu_millis: int
    memory_bytes: int
    gpus: int = 0


@dataclass(frozen=True)
class Alternative:
    """A shape that would also do, and what all of the group would cost on it.

    `shape` names the accelerator and how it is divided. `machine_type` is Google's
    name of the machine. `nodes_at_maximum` nodes hold the group's max_replicas, and
    `price_at_maximum` is what they cost. `price_per_slot` is a node's price divided
    by the pods that fit on it.
    """

    shape: str
    machine_type: str
    nodes_at_maximum: int
    price_at_maximum: Decimal | None
    price_per_slot: Decimal | None


@dataclass(frozen=True)
class GroupCapacity:
    """One group of one run: which pool carries it, and how it fits.

    `run` is the name of the run, `group` KubeRay's name of the group. `blueprint` is
    what the run is made from, and `namespace` where its pods are, null where the
    platform file does not say. `role` says what the group's pods are to Ray. `pool`
    is the name of the node pool. The group has between `min_replicas` and
    `max_replicas` pods. Room for `warm_replicas` more is kept by balloons. `pod` is
    all of a pod's containers. `slots_per_node` pods fit on a node, `limit` is what
    binds: cpu, memory, nvidia.com/gpu or pods. `price_per_slot` is a node's price
    divided by its slots. `reason` says why this shape, and `runners_up` what else
    would do. `notes` are what one should know besides.
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
    """So many equal pods on a node.

    They belong to `group` of `run`, with `role` as the group has it. There are `pods`
    of them, each with the amounts of `pod`. `balloons` is true for placeholders that
    keep room for the group's workers.
    """

    run: str
    group: str
    role: Role
    pods: int
    pod: Amounts
    balloons: bool = False


@dataclass(frozen=True)
class NodesAlike:
    """`nodes` nodes that all carry the same `pods`; `stranded` is left of each."""

    nodes: int
    pods: tuple[PodsOnNode, ...]
    stranded: Amounts


@dataclass(frozen=True)
class PoolTaint:
    """A taint as Kubernetes spells it: `key`, `value` and `effect`."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True)
class NodePool:
    """A node pool of GKE, derived from groups.

    `name` follows from the pool's content. `machine_type` and `accelerator` are
    Google's names, the latter null without GPUs. `gpus_per_node` are physical GPUs,
    `devices_per_node` what pods ask for as nvidia.com/gpu. `partition` is the MIG
    size, null where GPUs are whole. `sharing_strategy` says how
    `max_shared_clients_per_gpu` pods share a GPU or a partition, null where they do
    not. `provisioning` is how nodes are bought, from `reservation` where one is
    named. `queued_provisioning` means that all nodes of a request come together.
    `placement_policy` keeps nodes close to each other. `secondary_boot_disks` hold
    images that nodes have from the start. `zones` is empty where GKE may choose.
    `initial_node_count`, `total_min_node_count` and `total_max_node_count` count
    nodes of the whole pool, in all zones. `location_policy` says how the autoscaler
    spreads them over zones. `labels` and `taints` are those of every node. `machine`
    is a whole node, `allocatable` what GKE leaves of it, `usable` what the system's
    own pods leave of that. `boot_disk_gib` is the size of a node's boot disk. `price`
    is a node's, as it is bought. `price_on_demand` and `price_spot` are for
    comparison. `minimum` and `maximum` are the pods on nodes when all groups have
    their min_replicas, with warm replicas beside them, and their max_replicas:
    `nodes_at_minimum` and `nodes_at_maximum` nodes.
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

    `metric` is Google's name, `dimensions` what it is counted by besides. `region` is
    null for a global quota. `at_minimum` and `at_maximum` are what must be granted,
    in `unit`. `counted` says how the maximum is made up. `certain` is false where
    Google's documents disagree whether it binds.
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

    `purpose` is who has the addresses. `range` is null, and so is `size`, where the
    platform file does not say one. `at_minimum` and `at_maximum` addresses are used.
    """

    purpose: Literal["nodes", "pods", "services"]
    range: str | None
    size: int | None
    at_minimum: int
    at_maximum: int


@dataclass(frozen=True)
class CostItem:
    """What one thing costs an hour: a pool, the cluster, its system pool, disks.

    `what` is the name of the pool or of the thing. `idle`, `minimum`, `maximum` and
    `warm` are as in the sums. `on_demand` and `spot` are its maximum if it were all
    the one or the other.
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

    `currency` is a code such as USD. Prices are of `prices_date` for `prices_region`,
    from `prices_source`. `items` are what the sums are made of. `idle`: the cluster
    with nothing on it. `minimum`: all groups at min_replicas with their warm replicas;
    `maximum`: all at max_replicas. `warm` is the part of minimum that warm replicas
    cause. `idle_per_month`, `minimum_per_month`, `maximum_per_month` and
    `warm_per_month` are 730 times as much. Sums leave out what has no price:
    `unpriced` names it. `notes` say what is counted in which way.
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
    """Everything that is needed, before anything is created.

    `platform` is the name of the platform, null without a platform file. `target` is
    where runs go. `project` is the project of Google Cloud, null where the platform
    file does not say one. Everything is in `region`, in its `zones` where they are
    said. `autoscaling_profile` is the cluster's. `groups` are all groups of all runs.
    `pools` are the node pools that carry them. `quotas` must be granted before.
    `address_ranges` are what the network must hold. `cost` is an estimate. `warnings`
    are what somebody should look at.
    """

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
