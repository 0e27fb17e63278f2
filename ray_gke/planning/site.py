"""Where a plan is for: what follows from the platform, not from a blueprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ray_gke.gke.allocatable import PODS_PER_NODE
from ray_gke.gke.prices import Prices

Target = Literal["local", "kubernetes", "gke"]

REGION = "us-central1"
"""Planned for where nobody says another."""


@dataclass(frozen=True)
class Site:
    """Target, region and prices. `zones` is empty where GKE may choose them.

    `pods_per_node` are those beside GKE's own. Where node pools are ours (`gke`),
    pods select theirs by its name.
    """

    prices: Prices
    target: Target = "kubernetes"
    region: str = REGION
    zones: tuple[str, ...] = ()
    pods_per_node: int = PODS_PER_NODE
