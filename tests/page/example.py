"""Answers of `ray-gke plan`, written by hand, for the tests of what people see."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ray_gke.planning.capacity import (
    AddressRange,
    Alternative,
    Amounts,
    Capacity,
    Cost,
    CostItem,
    GroupCapacity,
    NodePool,
    NodesAlike,
    PodsOnNode,
    PoolTaint,
    Quota,
)

GIB = 2**30
HOSTILE = 'R&D <script>alert("x")</script>'


def amounts(cpu: float, gib: float, gpus: int = 0) -> Amounts:
    return Amounts(round(cpu * 1000), round(gib * GIB), gpus)


def group(run: str, name: str, pool: str, **changes: object) -> GroupCapacity:
    plain = GroupCapacity(
        run=run,
        blueprint=run,
        namespace="ml",
        group=name,
        role="worker",
        pool=pool,
        min_replicas=0,
        max_replicas=4,
        warm_replicas=0,
        pod=amounts(1.5, 9, 1),
        slots_per_node=7,
        limit="nvidia.com/gpu",
        price_per_slot=Decimal("0.524769"),
        reason="asked for by name",
        runners_up=(),
        notes=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def nodes(number: int, left: Amounts, *pods: PodsOnNode) -> NodesAlike:
    return NodesAlike(number, pods, left)


def pool(name: str, machine_type: str, **changes: object) -> NodePool:
    plain = NodePool(
        name=name,
        machine_type=machine_type,
        accelerator=None,
        gpus_per_node=0,
        devices_per_node=0,
        partition=None,
        sharing_strategy=None,
        max_shared_clients_per_gpu=None,
        provisioning="standard",
        reservation=None,
        queued_provisioning=False,
        placement_policy=None,
        secondary_boot_disks=(),
        zones=("us-central1-a", "us-central1-b"),
        initial_node_count=0,
        total_min_node_count=0,
        total_max_node_count=3,
        location_policy="BALANCED",
        labels={"cloud.google.com/gke-provisioning": "standard"},
        taints=(),
        machine=amounts(4, 16),
        allocatable=amounts(3.92, 13.3),
        usable=amounts(3.07, 12.7),
        boot_disk_gib=100,
        price=Decimal("0.134"),
        price_on_demand=Decimal("0.134"),
        price_spot=Decimal("0.040"),
        minimum=(),
        maximum=(),
        nodes_at_minimum=0,
        nodes_at_maximum=3,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def _slices() -> NodePool:
    worker = PodsOnNode("stable-diffusion", "gpu", "worker", 2, amounts(1.5, 9, 1))
    full = replace(worker, pods=7)
    return pool(
        "a100-1g-5gb-0f3a1c",
        "a2-highgpu-1g",
        accelerator="nvidia-tesla-a100",
        gpus_per_node=1,
        devices_per_node=7,
        partition="1g.5gb",
        location_policy="ANY",
        labels={"cloud.google.com/gke-accelerator": "nvidia-tesla-a100"},
        taints=(PoolTaint("nvidia.com/gpu", "present", "NoSchedule"),),
        machine=amounts(12, 85),
        allocatable=amounts(11.9, 76.4),
        usable=amounts(11.05, 75.8),
        price=Decimal("3.673385"),
        price_on_demand=Decimal("3.673385"),
        price_spot=Decimal("1.102016"),
        total_max_node_count=12,
        minimum=(
            nodes(
                1,
                amounts(5.05, 39.8, 3),
                worker,
                replace(worker, balloons=True),
            ),
        ),
        maximum=(
            nodes(11, amounts(0.55, 12.8), full),
            nodes(1, amounts(6.55, 48.8, 4), replace(worker, pods=3)),
        ),
        nodes_at_minimum=1,
        nodes_at_maximum=12,
    )


def _shares() -> NodePool:
    worker = PodsOnNode("demo", "t4", "worker", 4, amounts(1.5, 6, 1))
    return pool(
        "t4-time-sharing-8-77be02",
        "n1-standard-8",
        accelerator="nvidia-tesla-t4",
        gpus_per_node=1,
        devices_per_node=8,
        sharing_strategy="time-sharing",
        max_shared_clients_per_gpu=8,
        location_policy="ANY",
        machine=amounts(8, 30),
        allocatable=amounts(7.91, 26.6),
        usable=amounts(7.06, 26),
        price=Decimal("0.73"),
        price_on_demand=Decimal("0.73"),
        price_spot=Decimal("0.19"),
        total_max_node_count=2,
        minimum=(),
        maximum=(nodes(2, amounts(1.06, 2, 4), worker),),
        nodes_at_maximum=2,
    )


def _spot() -> NodePool:
    return pool(
        "l4-spot-9d10aa",
        "g2-standard-24",
        accelerator="nvidia-l4",
        gpus_per_node=2,
        devices_per_node=2,
        provisioning="spot",
        location_policy="ANY",
        machine=amounts(24, 96),
        allocatable=amounts(23.84, 87.3),
        usable=amounts(22.99, 86.7),
        price=Decimal("0.60"),
        price_on_demand=Decimal("2.00"),
        price_spot=Decimal("0.60"),
        total_max_node_count=60,
        minimum=(),
        maximum=(
            nodes(
                60,
                amounts(6.99, 22.7),
                PodsOnNode(HOSTILE, "l4", "worker", 2, amounts(8, 32, 1)),
            ),
        ),
        nodes_at_maximum=60,
    )


def _whole() -> NodePool:
    trainer = PodsOnNode("train", "h100", "worker", 1, amounts(180, 1600, 8))
    return pool(
        "h100-8-1c22f0",
        "a3-highgpu-8g",
        accelerator="nvidia-h100-80gb",
        gpus_per_node=8,
        devices_per_node=8,
        provisioning="reservation",
        reservation="team-h100",
        machine=amounts(208, 1872),
        allocatable=amounts(207.2, 1820),
        usable=amounts(206.3, 1819),
        price=None,
        price_on_demand=None,
        price_spot=None,
        total_max_node_count=2,
        minimum=(nodes(1, amounts(26.3, 219), trainer),),
        maximum=(nodes(2, amounts(26.3, 219), trainer),),
        nodes_at_minimum=1,
        nodes_at_maximum=2,
    )


def _heads() -> NodePool:
    head = PodsOnNode("stable-diffusion", "head", "head", 1, amounts(2.5, 8.5))
    others = (
        head,
        replace(head, run="demo"),
        replace(head, run="train"),
        replace(head, run=HOSTILE),
        PodsOnNode("train", "submitter", "submitter", 1, amounts(0.5, 0.5)),
    )
    every = (nodes(1, amounts(4.4, 21.6), *others),)
    return pool(
        "cpu-e2-standard-16-5f00aa",
        "e2-standard-16",
        machine=amounts(16, 64),
        allocatable=amounts(15.89, 57.9),
        usable=amounts(14.9, 56.1),
        price=Decimal("0.536"),
        price_on_demand=Decimal("0.536"),
        price_spot=Decimal("0.161"),
        total_max_node_count=1,
        minimum=every,
        maximum=every,
        nodes_at_minimum=1,
        nodes_at_maximum=1,
    )


def _system() -> NodePool:
    system = PodsOnNode("", "system pods", "system", 1, amounts(0.9, 2))
    every = (nodes(2, amounts(0.17, 2.7), system),)
    return pool(
        "system",
        "e2-standard-2",
        machine=amounts(2, 8),
        allocatable=amounts(1.93, 5.9),
        usable=amounts(1.07, 4.7),
        price=Decimal("0.067"),
        price_on_demand=Decimal("0.067"),
        price_spot=Decimal("0.020"),
        initial_node_count=1,
        total_min_node_count=2,
        total_max_node_count=2,
        minimum=every,
        maximum=every,
        nodes_at_minimum=2,
        nodes_at_maximum=2,
    )


def _groups() -> tuple[GroupCapacity, ...]:
    cpu = "cpu-e2-standard-16-5f00aa"
    head = group(
        "stable-diffusion",
        "head",
        cpu,
        role="head",
        min_replicas=1,
        max_replicas=1,
        pod=amounts(2.5, 8.5),
        slots_per_node=5,
        limit="cpu",
        price_per_slot=Decimal("0.1072"),
        reason="the cheapest CPU machine that holds every pod of this pool",
    )
    return (
        head,
        group(
            "stable-diffusion",
            "gpu",
            "a100-1g-5gb-0f3a1c",
            min_replicas=2,
            max_replicas=80,
            warm_replicas=2,
            reason="the cheapest of 14 shapes with 4 GiB of GPU memory by itself",
            runners_up=(
                Alternative(
                    "nvidia-tesla-a100, 2g.10gb",
                    "a2-highgpu-1g",
                    27,
                    Decimal("99.181395"),
                    Decimal("1.224461"),
                ),
                Alternative("nvidia-b200, 1g.23gb", "a4-highgpu-8g", 2, None, None),
            ),
        ),
        replace(head, run="demo"),
        group(
            "demo",
            "t4",
            "t4-time-sharing-8-77be02",
            max_replicas=8,
            pod=amounts(1.5, 6, 1),
            slots_per_node=4,
            limit="cpu",
            price_per_slot=Decimal("0.1825"),
            notes=("time-sharing does not divide the memory: a client may take all",),
        ),
        replace(head, run=HOSTILE),
        group(
            HOSTILE,
            "l4",
            "l4-spot-9d10aa",
            max_replicas=120,
            pod=amounts(8, 32, 1),
            slots_per_node=2,
            price_per_slot=Decimal("0.30"),
        ),
        replace(head, run="train"),
        group(
            "train",
            "h100",
            "h100-8-1c22f0",
            min_replicas=1,
            max_replicas=2,
            pod=amounts(180, 1600, 8),
            slots_per_node=1,
            price_per_slot=None,
            notes=("the reservation is paid for, used or not",),
        ),
        replace(
            head,
            run="train",
            group="submitter",
            role="submitter",
            pod=amounts(0.5, 0.5),
            slots_per_node=29,
        ),
    )


def item(what: str, *prices: str | None) -> CostItem:
    """idle, minimum, maximum, warm, on demand, Spot."""
    return CostItem(what, *(None if p is None else Decimal(p) for p in prices))


def _cost() -> Cost:
    slices = item(
        "a100-1g-5gb-0f3a1c", "0", "3.673385", "44.08", "1.049", "44.08", "13.22"
    )
    return Cost(
        currency="USD",
        prices_date="2026-06-23",
        prices_source="cluster-autoscaler's price table",
        prices_region="us-central1",
        items=(
            item("cluster", "0.10", "0.10", "0.10", "0", "0.10", None),
            item("system", "0.134", "0.134", "0.134", "0", "0.134", "0.04"),
            item(
                "cpu-e2-standard-16-5f00aa", "0", "0.536", "0.536", "0", "0.536", "0.16"
            ),
            slices,
            item("t4-time-sharing-8-77be02", "0", "0", "1.46", "0", "1.46", "0.38"),
            item("l4-spot-9d10aa", "0", "0", "36.00", "0", "120.00", "36.00"),
            item("h100-8-1c22f0", "0", None, None, "0", None, None),
            item("boot disks", "0.02", "0.05", "0.90", "0.01", "0.90", None),
        ),
        idle=Decimal("0.254"),
        minimum=Decimal("4.493385"),
        maximum=Decimal("83.21"),
        warm=Decimal("1.059"),
        idle_per_month=Decimal("185.42"),
        minimum_per_month=Decimal("3280.17"),
        maximum_per_month=Decimal("60743.30"),
        warm_per_month=Decimal("773.07"),
        unpriced=("h100-8-1c22f0",),
        notes=("a reservation is counted as on demand",),
    )


def rich() -> Capacity:
    """Every kind of pool, and texts that would break a careless page."""
    return Capacity(
        platform=f"vision {HOSTILE}",
        target="gke",
        project="acme-ml",
        region="us-central1",
        zones=("us-central1-a", "us-central1-b"),
        autoscaling_profile="OPTIMIZE_UTILIZATION",
        groups=_groups(),
        pools=(_slices(), _shares(), _spot(), _whole(), _heads(), _system()),
        quotas=(
            Quota(
                "NVIDIA_A100_GPUS",
                "us-central1",
                {},
                1,
                12,
                "GPUs",
                "12 nodes with 1 GPU each",
            ),
            Quota(
                "GPUS-PER-GPU-FAMILY-per-project-region",
                "us-central1",
                {"gpu_family": "NVIDIA_H100"},
                8,
                16,
                "GPUs",
                "2 nodes with 8 GPUs each",
            ),
            Quota(
                "GPUS_ALL_REGIONS",
                None,
                {},
                9,
                150,
                "GPUs",
                "all pools; whether Spot counts is not documented",
                certain=False,
            ),
        ),
        address_ranges=(
            AddressRange("nodes", "10.0.0.0/20", 4092, 5, 79),
            AddressRange("pods", "10.4.0.0/14", 262144, 1280, 20224),
            AddressRange("services", None, None, 12, 12),
        ),
        cost=_cost(),
        warnings=(
            "demo, group t4: 4 of 8 time-shared workers fit a node; cpu binds",
            f"{HOSTILE}: Spot nodes may be taken back within 30 seconds",
        ),
    )


def smallest() -> Capacity:
    """One CPU group, nothing else."""
    squares = group(
        "squares",
        "head",
        "cpu-e2-standard-4-aaaaaa",
        namespace=None,
        role="head",
        min_replicas=1,
        max_replicas=1,
        pod=amounts(2.5, 8.5),
        slots_per_node=1,
        limit="cpu",
        price_per_slot=Decimal("0.134"),
    )
    head = PodsOnNode("squares", "head", "head", 1, amounts(2.5, 8.5))
    every = (nodes(1, amounts(0.57, 4.2), head),)
    cpu = pool(
        squares.pool,
        "e2-standard-4",
        zones=(),
        total_max_node_count=1,
        minimum=every,
        maximum=every,
        nodes_at_minimum=1,
        nodes_at_maximum=1,
    )
    cost = replace(
        _cost(),
        items=(item(squares.pool, "0", "0.134", "0.134", "0", "0.134", "0.04"),),
        idle=Decimal(0),
        minimum=Decimal("0.134"),
        maximum=Decimal("0.134"),
        warm=Decimal(0),
        idle_per_month=Decimal(0),
        minimum_per_month=Decimal("97.82"),
        maximum_per_month=Decimal("97.82"),
        warm_per_month=Decimal(0),
        unpriced=(),
        notes=(),
    )
    return Capacity(
        platform=None,
        target="kubernetes",
        project=None,
        region="us-central1",
        zones=(),
        autoscaling_profile="OPTIMIZE_UTILIZATION",
        groups=(squares,),
        pools=(cpu,),
        quotas=(),
        address_ranges=(),
        cost=cost,
        warnings=(),
    )


def huge(number: int = 40) -> Capacity:
    """`number` pools with 500 nodes each."""
    slices = _slices()
    full = slices.maximum[0]
    names = [f"a100-1g-5gb-{index:06x}" for index in range(number)]
    pools = tuple(
        replace(
            slices,
            name=name,
            total_max_node_count=500,
            minimum=(),
            maximum=(
                replace(full, nodes=500, pods=(replace(full.pods[0], run=name),)),
            ),
            nodes_at_minimum=0,
            nodes_at_maximum=500,
        )
        for name in names
    )
    each = Decimal("1836.6925")
    items = tuple(
        CostItem(name, Decimal(0), Decimal(0), each, Decimal(0), each, each / 4)
        for name in names
    )
    cost = replace(
        _cost(),
        items=items,
        minimum=Decimal(0),
        maximum=each * number,
        maximum_per_month=each * number * 730,
        unpriced=(),
    )
    groups = tuple(group(name, "gpu", name, max_replicas=3500) for name in names)
    return replace(rich(), groups=groups, pools=pools, cost=cost, warnings=())
