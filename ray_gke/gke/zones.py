"""Zones of a region, and which of them offer a GPU."""

from __future__ import annotations

from ray_gke.gke.accelerators import ACCELERATORS


def region_of(zone: str) -> str:
    """Return the region of a zone: us-central1 of us-central1-a."""
    return zone.rpartition("-")[0]


def offered(accelerator: str | None, region: str) -> tuple[str, ...] | None:
    """Return the region's zones with the accelerator, or None where nobody knows.

    An empty answer means that the region has none of them.
    """
    zones = ACCELERATORS[accelerator].zones if accelerator else None
    if zones is None:
        return None
    return tuple(zone for zone in zones if region_of(zone) == region)
