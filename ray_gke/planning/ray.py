"""Which Ray a blueprint runs, in which image."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke import versions
from ray_gke.catalog.blueprint import Spec


def version(spec: Spec) -> str:
    """Return the version that is asked for, or that of the image, or our own."""
    given = spec.ray
    of_image = versions.ray_version_of(given.image) if given.image else None
    return given.version or of_image or versions.RAY_VERSION


def image(spec: Spec) -> str:
    """Return the image that is asked for, or the Ray project's for this version."""
    gpu = any(group.gpu for group in (spec.head, *spec.worker_groups))
    return spec.ray.image or versions.image(version(spec), gpu=gpu)


def notes(spec: Spec) -> Iterator[str]:
    """Yield what a user should know about version and image."""
    image = spec.ray.image
    if image is None:
        return
    of_image = versions.ray_version_of(image)
    if of_image is None and spec.ray.version is None:
        yield (
            f"the tag of image {image} names no version of Ray: "
            f"{versions.RAY_VERSION} is assumed, set ray.version if it is another"
        )
    if of_image and spec.ray.version and of_image != spec.ray.version:
        yield (
            f"ray.version is {spec.ray.version}, but the tag of image {image} says "
            f"{of_image}: all of a cluster must run the same version"
        )
