"""How images come to the nodes of a platform on GKE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ray_gke.catalog.model import Model
from ray_gke.gke.image_registry import ImageRegistry as Repositories

if TYPE_CHECKING:
    from ray_gke.catalog.platform import PlatformSpec


class ImageRegistry(Model):
    """The repositories next to the cluster: how images come into them."""

    mode: Literal["pull-through", "mirror"] = Field(
        default="pull-through",
        description="pull-through: each image comes when it is pulled first; mirror: "
        "only what `ray-gke images mirror` copied",
    )
    preload: bool = Field(
        default=False,
        description="Whether nodes with GPUs have a disk with the images from the "
        "start; `ray-gke images check` says how it is built",
    )


def beside_cluster(spec: PlatformSpec, name: str) -> Repositories | None:
    """Return the registry of a platform called `name`; None where GKE has no place."""
    if spec.project is None or spec.region is None:
        return None
    return Repositories(
        spec.image_registry.mode,
        spec.region,
        spec.project,
        spec.cluster.name or name,
        spec.image_registry.preload,
    )
