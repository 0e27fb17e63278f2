"""Which images a blueprint names, and what a user should know of them on GKE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ray_gke import versions
from ray_gke.catalog.blueprint import Spec
from ray_gke.errors import InvalidError
from ray_gke.gke.image_names import parse
from ray_gke.gke.image_registry import ImageRegistry, cannot_stream
from ray_gke.planning import day_two, ray
from ray_gke.planning.site import Site


def notes(
    spec: Spec, site: Site, image_registry: ImageRegistry | None
) -> Iterator[str]:
    """Yield which images no repository next to the cluster pulls through."""
    if image_registry is None or image_registry.mode != "pull-through":
        return
    for image in dict.fromkeys(_named(spec, site)):
        try:
            name = parse(image)
        except InvalidError:
            continue  # rendering refuses it, and says where it stands
        if cannot_stream(name):
            yield (
                f"image {image} cannot stream: nothing pulls {name.host} through; "
                "image_registry: {mode: mirror} and ray-gke images mirror put a copy "
                "next to the cluster"
            )


def _named(spec: Spec, site: Site) -> Iterator[str]:
    yield ray.image(spec)
    if (logs := day_two.logs(spec, site)).mode == "sidecar":
        yield logs.image
    if given := spec.history_server_options:
        yield given.image or versions.COLLECTOR_IMAGE
    for patch in spec.patches:
        yield from _in_patch(patch.patch)


def _in_patch(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _in_patch(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "image" and isinstance(item, str):
                yield item
            else:
                yield from _in_patch(item)
