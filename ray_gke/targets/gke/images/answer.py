"""The answer of `ray-gke images check`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ray_gke.catalog.platform import Platform
from ray_gke.gke.image_registry import ImageRegistry, preload_image
from ray_gke.planning.capacity import Capacity
from ray_gke.targets.gke.images.preload import Preload, preload
from ray_gke.targets.gke.images.streaming import (
    ASSUMPTION,
    NODE_IMAGE,
    Streaming,
    small_machines,
)


@dataclass(frozen=True)
class Checked:
    """All images of a platform, and what is said of all of them.

    `node_image` is what all node pools run. `preload` is null where none is asked for.
    """

    platform: str
    node_image: str
    images: tuple[Streaming, ...]
    assumption: str
    warnings: tuple[str, ...]
    preload: Preload | None


def checked(
    platform: Platform,
    registry: ImageRegistry,
    capacity: Capacity,
    found: Sequence[Streaming],
    of_runs: Collection[str],
) -> Checked:
    """Return the answer; the images `of_runs` are those on a disk of their own."""
    disk = None
    if registry.preload:
        on_disk = [one for one in found if one.image in of_runs]
        name = preload_image(registry, of_runs)
        disk = preload(name, registry, platform.spec, capacity, on_disk)
    return Checked(
        platform.name,
        NODE_IMAGE,
        tuple(found),
        ASSUMPTION,
        tuple(small_machines(capacity.pools)),
        disk,
    )
