"""What an image itself says of whether it can be streamed: its manifest.

Sources: GKE "Use Image streaming to pull container images" (limitations); OCI image
specification "Image Configuration": `rootfs.diff_ids` are the digests of the layers in
their order, unpacked. A layer of nothing is a tar archive of two blocks of zero bytes
(POSIX pax), which GNU tar and bsdtar fill up to their record of 10240.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ray_gke.errors import FailedError, RayGkeError, RefusedError
from ray_gke.gke.image_names import ImageName, parse
from ray_gke.targets.registry import manifests
from ray_gke.targets.registry.manifests import Descriptor, Manifest

if TYPE_CHECKING:
    from ray_gke.targets.registry.connections import Answer

_EMPTY = frozenset(manifests.digest_of(bytes(size)) for size in (1024, 10240))


class Registries(Protocol):
    """What is asked of `ray_gke.targets.registry.client.Registries`."""

    def manifest(self, name: ImageName) -> Manifest | None:
        """Return what a name stands for."""

    def config(self, name: ImageName, manifest: Manifest) -> Mapping[str, Any]:
        """Return the configuration of an image."""

    def ask(
        self, method: str, name: ImageName, path: str, *, headers: Mapping[str, str]
    ) -> Answer:
        """Return the answer to a small request."""


@dataclass(frozen=True)
class Finding:
    """Something about an image; `no` and `unknown` are why it does not stream."""

    state: Literal["no", "unknown", "warning", "note"]
    text: str
    hint: str = ""


@dataclass(frozen=True)
class Seen:
    """What registries say of an image.

    `there` tells whether it is under the name by which nodes pull it, None where that
    may not be read. Its manifest was `read` under this name, or that of its original;
    without it `why` says what was in the way. `diff_ids` are the digests of its layers
    unpacked; without them `why_no_diff_ids` says why.
    """

    there: bool | None
    read: str | None = None
    why: str = ""
    schema_1: bool = False
    config_bytes: int = 0
    layers: tuple[Descriptor, ...] = ()
    diff_ids: tuple[str, ...] = ()
    why_no_diff_ids: str = ""


def seen(registries: Registries, image: str, original: str) -> Seen:
    """Return what there is of an image, or else of its original."""
    found = _read(registries, image)
    if found.read or original == image:
        return found
    of_original = _read(registries, original)
    why = "; ".join(dict.fromkeys(filter(None, (found.why, of_original.why))))
    return replace(of_original, there=found.there, why=why)


def _read(registries: Registries, image: str) -> Seen:
    name = parse(image)
    try:
        manifest = registries.manifest(name)
        if manifest is None:
            return Seen(there=False, why=f"{image} is not there")
        if manifest.is_index:
            (one, *_) = manifests.needed(name, manifest, [manifests.AMD64])
            manifest = registries.manifest(name.pinned(one.digest))
            if manifest is None:
                return Seen(there=True, why=f"{image} has no manifest {one.digest}")
    except (RefusedError, FailedError) as error:
        if _is_schema_1(registries, name):
            return Seen(there=True, read=image, schema_1=True)
        return Seen(there=None, why=str(error))
    layers = tuple(_layer(said) for said in manifest.parsed.get("layers", ()))
    size = int(manifest.parsed["config"]["size"])
    whole = Seen(True, image, "", False, size, layers)
    try:
        config = registries.config(name, manifest)
    except (RefusedError, FailedError) as error:
        return replace(whole, why_no_diff_ids=str(error))
    return replace(whole, diff_ids=_diff_ids(config))


def _diff_ids(config: Mapping[str, Any]) -> tuple[str, ...]:
    rootfs = config.get("rootfs")
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _layer(said: Mapping[str, Any]) -> Descriptor:
    kind = str(said.get("mediaType", ""))
    return Descriptor(kind, str(said["digest"]), int(said["size"]))


def _is_schema_1(registries: Registries, name: ImageName) -> bool:
    """Tell whether that is why a manifest was refused."""
    try:
        path, headers = f"manifests/{name.version}", {"Accept": manifests.ACCEPT}
        answer = registries.ask("GET", name, path, headers=headers)
        said = json.loads(answer.body) if answer.status == HTTPStatus.OK else {}
    except (RayGkeError, ValueError):
        return False
    return isinstance(said, dict) and said.get("schemaVersion") == 1


def findings(name: ImageName, original: str, seen: Seen) -> Iterator[Finding]:
    """Yield what keeps an image from being streamed, and what is not known of it."""
    if not seen.read:
        yield Finding("unknown", f"its manifest may not be read: {seen.why}")
        return
    if parse(seen.read) != name:
        yield Finding("note", f"size and layers are those of {original}")
    if seen.schema_1:
        text = "its manifest is of version 2, schema 1"
        yield Finding("no", text, "build and push it again with a Docker of today")
        return
    counted = Counter(layer.digest for layer in seen.layers)
    twice = [digest for digest, times in counted.items() if times > 1]
    both = zip(seen.layers, seen.diff_ids, strict=False)
    empty = [layer.digest for layer, diff_id in both if diff_id in _EMPTY]
    for what, digests in (
        ("empty layers", list(dict.fromkeys(empty))),
        ("layers that are there twice", [one for one in twice if one not in empty]),
    ):
        if digests:
            text = f"it has {what}, so nodes download it: {', '.join(digests)}"
            hint = "build it without instructions that change nothing, or do so twice"
            yield Finding("no", text, hint)
    if seen.why_no_diff_ids:
        text = f"whether it has empty layers may not be read: {seen.why_no_diff_ids}"
        yield Finding("unknown", text)
