"""Plans of a few groups for tests of pools, with prices that are easy to reckon."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from ray_gke.catalog.gpu import Gpu, Sharing
from ray_gke.gke.prices import Price, Prices
from ray_gke.gke.resources import GIB, Resources
from ray_gke.planning.choice import choose
from ray_gke.planning.need import Need
from ray_gke.planning.plan import Group, Plan
from ray_gke.planning.pool_names import Nodes
from ray_gke.planning.site import Site

PRICES = Prices(
    date="2026-06-23",
    source="a test",
    currency="USD",
    region="us-central1",
    machine_types={
        "e2-standard-4": Price(Decimal("0.1"), Decimal("0.03")),
        "a2-highgpu-1g": Price(Decimal("3.7"), Decimal("1.1")),
        "n1-standard-16": Price(Decimal("0.8"), Decimal("0.2")),
        "g2-standard-8": Price(Decimal(1)),
    },
    accelerators={"nvidia-tesla-t4": Price(Decimal("0.4"), Decimal("0.1"))},
    disks={"pd-balanced": Decimal("0.1")},
    cluster_fee=Decimal("0.1"),
)
SITE = Site(PRICES, "gke")
SLICE = Need(
    Resources(1500, 9 * GIB),
    Gpu(accelerator="nvidia-tesla-a100", partition="1g.5gb"),
    machine_type="a2-highgpu-1g",
    min_replicas=1,
    max_replicas=7,
)
SHARE = Need(
    Resources(3000, 12 * 10**9),
    Gpu(
        accelerator="nvidia-tesla-t4",
        sharing=Sharing(strategy="time-sharing", max_shared_clients_per_gpu=8),
    ),
    machine_type="n1-standard-16",
    min_replicas=1,
    max_replicas=8,
)
CPU = Need(Resources(1000, 2 * GIB), machine_type="e2-standard-4", min_replicas=1)


def group(name: str, need: Need, site: Site = SITE, **more: Any) -> Group:
    """Return a worker group that needs this; `more` are other fields of it."""
    choice = choose(need, site)
    made = Group(
        name=name,
        min_replicas=need.min_replicas,
        max_replicas=need.max_replicas,
        cpu="1",
        memory="1Gi",
        num_cpus=1,
        num_gpus=need.gpu.count if need.gpu else 0,
        memory_bytes=GIB,
        pod=need.pod,
        choice=choice,
        shape=choice.best.shape,
        nodes=Nodes(
            choice.best.shape,
            choice.best.machine,
            choice.best.devices,
            tuple(sorted(need.zones)),
            need.placement_policy,
            (),
        ),
        zones=need.zones,
    )
    return replace(made, **more)


def plan(name: str, *workers: Group, kind: Any = "cluster") -> Plan:
    """Return a plan whose head takes one e2-standard-4 for itself."""
    head = group("headgroup", replace(CPU, pod=Resources(2500, 8 * GIB)), role="head")
    return Plan(
        name=name,
        blueprint=name,
        kind=kind,
        ray_version="2.60.0",
        image="rayproject/ray:2.60.0",
        head=head,
        worker_groups=workers,
        workload=None,
        env={},
        idle_timeout_seconds=60,
        upscaling_mode="Default",
        files={},
        serve_config=None,
        patches=(),
    )
