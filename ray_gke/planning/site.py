"""Where a plan is for: what follows from the platform, not from a blueprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ray_gke.catalog.day_two import Logs, Metrics
from ray_gke.gke.allocatable import PODS_PER_NODE
from ray_gke.gke.image_registry import ImageRegistry
from ray_gke.gke.prices import Prices

Target = Literal["local", "kubernetes", "gke"]

REGION = "us-central1"
"""Planned for where nobody says another."""


@dataclass(frozen=True)
class Site:
    """Target, region and prices. `zones` is empty where GKE may choose them.

    `pods_per_node` are those beside GKE's own. Where node pools are ours (`gke`),
    pods select theirs by its name. `pods_range` is where pods have their addresses,
    `operator_namespace` where KubeRay's operator runs, `monitors` are the kinds that
    the cluster knows of those that tell who reads metrics; None where it is unknown.
    `gke_nodes` tells that the cluster is GKE's, also where the target is any cluster;
    `managed_operator` that KubeRay's operator is Google's to set up.
    `logs` and `metrics` hold for blueprints that do not say it. `log_collector` tells
    whether the platform turns on that of GKE's Ray operator add-on; None where nobody
    says what the platform is, or it is this machine. `image_registry` is
    where nodes pull images from; None where they pull them from where they are.
    """

    prices: Prices
    target: Target = "kubernetes"
    region: str = REGION
    zones: tuple[str, ...] = ()
    pods_per_node: int = PODS_PER_NODE
    pods_range: str | None = None
    operator_namespace: str | None = None
    monitors: frozenset[str] | None = None
    gke_nodes: bool = False
    managed_operator: bool = False
    logs: Logs | None = None
    metrics: Metrics | None = None
    log_collector: bool | None = None
    image_registry: ImageRegistry | None = None
