"""Manifests of images: what one refers to, and what nodes need of an index.

Sources: OCI image specification ("Image Manifest", "Image Index"), Docker "Image
Manifest Version 2, Schema 2". Attestations stand in an index as manifests of the
platform unknown/unknown (BuildKit "Image Attestation Storage").
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ray_gke.errors import FailedError, RefusedError
from ray_gke.gke.image_names import ImageName

_OCI = "application/vnd.oci.image"
_DOCKER = "application/vnd.docker.distribution.manifest"
INDEXES = (f"{_OCI}.index.v1+json", f"{_DOCKER}.list.v2+json")
IMAGES = (f"{_OCI}.manifest.v1+json", f"{_DOCKER}.v2+json")
SCHEMA_1 = (f"{_DOCKER}.v1+prettyjws", f"{_DOCKER}.v1+json")
ACCEPT = ", ".join((*INDEXES, *IMAGES, *SCHEMA_1))
AMD64 = "linux/amd64"

_DIGEST = re.compile(r"sha256:[\da-f]{64}")
_ELSEWHERE = re.compile(r"\.(nondistributable|foreign)\.")
"""Layers that only their owner may hand out; no registry holds them."""


@dataclass(frozen=True)
class Descriptor:
    """What a manifest says about a blob or another manifest."""

    media_type: str
    digest: str
    size: int
    platform: str | None = None


@dataclass(frozen=True)
class Manifest:
    """A manifest, byte by byte as its registry gave it; `digest` is theirs."""

    media_type: str
    digest: str
    body: bytes

    @cached_property
    def parsed(self) -> Mapping[str, Any]:
        """What it says."""
        said = json.loads(self.body)
        return said if isinstance(said, dict) else {}

    @property
    def is_index(self) -> bool:
        """Tell whether it only lists other manifests."""
        return self.media_type in INDEXES

    @property
    def manifests(self) -> tuple[Descriptor, ...]:
        """What an index lists, nothing for an image."""
        return tuple(map(_descriptor, self.parsed.get("manifests", ())))

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Configuration and layers of an image, each once; nothing for an index."""
        if self.is_index:
            return ()
        listed = [self.parsed["config"], *self.parsed.get("layers", ())]
        found = [_descriptor(one) for one in listed]
        held = [blob for blob in found if not _ELSEWHERE.search(blob.media_type)]
        return tuple({blob.digest: blob for blob in held}.values())


def digest_of(body: bytes) -> str:
    """Return the digest of contents."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def read(name: ImageName, kind: str, body: bytes, promised: str | None) -> Manifest:
    """Return what a registry gave for `name`; `kind` is its content type.

    Raises FailedError when it is not what its digest promises, or not understood, and
    RefusedError for a manifest of schema 1.
    """
    digest = digest_of(body)
    if promised not in (None, digest):
        raise FailedError(
            f"{name}: {name.host} gave a manifest with the digest {digest}, not "
            f"{promised}",
            hint="nothing was copied; a proxy or the registry itself is broken",
        )
    try:
        said = json.loads(body)
        manifest = Manifest(_media_type(name, said, kind), digest, body)
        _ = manifest.blobs, manifest.manifests
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FailedError(
            f"{name}: {name.host} gave a manifest that is not understood",
            hint="is it an image?",
        ) from None
    return manifest


def _media_type(name: ImageName, said: Mapping[str, Any], kind: str) -> str:
    media_type = str(said.get("mediaType") or kind.partition(";")[0].strip())
    if said.get("schemaVersion") == 1 or media_type in SCHEMA_1:
        raise RefusedError(
            f"{name} has a manifest of Docker's schema 1, which containerd no longer "
            "pulls and GKE does not stream",
            hint="build and push the image again with a Docker of today",
        )
    if media_type in (*INDEXES, *IMAGES):
        return media_type
    # An old OCI manifest may go without; what it lists tells which it is.
    return INDEXES[0] if "manifests" in said else IMAGES[0]


def _descriptor(said: Mapping[str, Any]) -> Descriptor:
    digest, size = str(said["digest"]), int(said["size"])
    if not _DIGEST.fullmatch(digest) or size < 0:
        raise ValueError(digest)
    where = said.get("platform") or {}
    known = "os" in where and "architecture" in where
    platform = f"{where['os']}/{where['architecture']}" if known else None
    return Descriptor(str(said.get("mediaType", "")), digest, size, platform)


def needed(
    name: ImageName, index: Manifest, platforms: Collection[str]
) -> tuple[Descriptor, ...]:
    """Return what of an index nodes of `platforms` need, such as `linux/amd64`.

    Raises RefusedError when there is nothing for them.
    """
    found = tuple(one for one in index.manifests if one.platform in platforms)
    if not found:
        there = sorted({one.platform for one in index.manifests if one.platform})
        raise RefusedError(
            f"{name} has no image for {' or '.join(sorted(platforms))}",
            hint=f"it has {', '.join(there) or 'nothing that names its platform'}",
        )
    return found


def index_of(index: Manifest, kept: Collection[Descriptor]) -> Manifest:
    """Return the index with `kept` alone; one that is whole already stays as it is."""
    digests = {one.digest for one in kept}
    listed = index.parsed["manifests"]
    fewer = [one for one in listed if one["digest"] in digests]
    if len(fewer) == len(listed):
        return index
    said = {**index.parsed, "mediaType": index.media_type, "manifests": fewer}
    body = json.dumps(said, separators=(",", ":")).encode()
    return Manifest(index.media_type, digest_of(body), body)
