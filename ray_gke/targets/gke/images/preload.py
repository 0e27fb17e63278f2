"""The command that builds the disk image with a platform's images.

Source: github.com/ai-on-gke/tools, gke-disk-image-builder/README.md and cli/main.go.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ray_gke.catalog.platform import PlatformSpec
from ray_gke.gke.image_registry import ImageRegistry
from ray_gke.planning.capacity import Capacity
from ray_gke.targets.gke.images.streaming import Streaming

SOURCE = "https://github.com/ai-on-gke/tools/tree/main/gke-disk-image-builder"

_LEAST_GB = 60
_UNPACKED = 3
"""So much larger than its compressed layers an image is at most, as a rule."""


@dataclass(frozen=True)
class Preload:
    """The disk image that node pools name, and what builds it.

    `command` is for a shell in the folder of the builder, whose `source` this is.
    """

    disk_image: str
    command: str
    source: str = SOURCE


def preload(
    disk_image: str,
    registry: ImageRegistry,
    spec: PlatformSpec,
    capacity: Capacity,
    images: Sequence[Streaming],
) -> Preload:
    """Return how the disk image with these images is built."""
    name = disk_image.rpartition("/")[2]
    bucket = spec.state.bucket if spec.state else "BUCKET"
    flags = [
        f"--project-name={registry.project}",
        f"--image-name={name}",
        f"--zone={_zone(capacity)}",
        f"--gcs-path=gs://{bucket}/",
        f"--disk-size-gb={_gigabytes(images)}",
        *_network(spec, registry),
        "--image-pull-auth=ServiceAccountToken",
        "--timeout=60m",
        *(f"--container-image={one.image}" for one in images),
    ]
    return Preload(disk_image, shlex.join(["go", "run", "./cli", *flags]))


def _zone(capacity: Capacity) -> str:
    """Return a zone in which there will be such nodes, where one is known."""
    of_gpus = [pool.zones for pool in capacity.pools if pool.accelerator]
    return next((zones[0] for zones in (*of_gpus, capacity.zones) if zones), "ZONE")


def _network(spec: PlatformSpec, registry: ImageRegistry) -> Iterator[str]:
    """Yield that of the nodes: the builder looks for it in the project itself."""
    given = spec.network.existing
    network = given.network if given else registry.name
    subnetwork = given.subnetwork if given else registry.name
    if not (given and given.network_project_id):
        yield f"--network={network}"
        yield f"--subnet={subnetwork}"


def _gigabytes(images: Sequence[Streaming]) -> int:
    compressed = sum(one.compressed_bytes or 0 for one in images)
    return max(_LEAST_GB, math.ceil(_UNPACKED * compressed / 1e9))
