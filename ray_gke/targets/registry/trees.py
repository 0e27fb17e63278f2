"""What belongs to an image: its manifests, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ray_gke.errors import RefusedError
from ray_gke.gke.image_names import ImageName
from ray_gke.targets.registry import refusals
from ray_gke.targets.registry.client import Registries
from ray_gke.targets.registry.manifests import (
    IMAGES,
    INDEXES,
    Descriptor,
    Manifest,
    index_of,
    needed,
)


@dataclass(frozen=True, eq=False)
class Tree:
    """An image that is to be copied; `manifests` is empty when it is there already.

    The last of the `manifests` is the image's own: what it lists stands before it.
    """

    source: ImageName
    target: ImageName
    digest: str
    manifests: tuple[Manifest, ...]

    @property
    def where(self) -> str:
        """The name of the copy, without its digest."""
        return str(replace(self.target, digest=None))

    @cached_property
    def blobs(self) -> dict[str, Descriptor]:
        """All blobs of all its manifests, by digest."""
        return {blob.digest: blob for one in self.manifests for blob in one.blobs}


def tree(
    registries: Registries,
    source: ImageName,
    target: ImageName,
    platforms: Collection[str],
) -> Tree:
    """Return what of an image is to be copied for nodes of `platforms`.

    An index that is named by its digest is whole, so that its digest stays. A tag is
    looked up once; everything else is asked for by digest.
    """
    root = registries.manifest(source)
    if root is None:
        raise refusals.missing(source)
    if root.is_index and not source.digest:
        root = _reduced(registries, source, root, platforms)
    there = registries.digest(replace(target, digest=None) if target.tag else target)
    below = () if there == root.digest else (*_below(registries, source, root), root)
    return Tree(source, target, root.digest, below)


def _reduced(
    registries: Registries,
    source: ImageName,
    index: Manifest,
    platforms: Collection[str],
) -> Manifest:
    """Return the index with what is needed, or the only manifest that is."""
    kept = needed(source, index, platforms)
    if len(kept) == 1:
        return _listed(registries, source, kept[0])
    return index_of(index, kept)


def _below(
    registries: Registries, source: ImageName, manifest: Manifest
) -> Iterator[Manifest]:
    for one in manifest.manifests:
        listed = _listed(registries, source, one)
        yield from _below(registries, source, listed)
        yield listed


def _listed(registries: Registries, source: ImageName, one: Descriptor) -> Manifest:
    name = source.pinned(one.digest)
    if one.media_type not in (*INDEXES, *IMAGES):
        message = f"{source} lists {one.digest}, of the type {one.media_type[:80]!r}"
        raise RefusedError(message, hint="only images and indexes of images are copied")
    found = registries.manifest(name)
    if found is None:
        raise refusals.missing(name)
    return found
