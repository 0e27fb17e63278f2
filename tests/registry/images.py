"""Images of random layers, written into a registry without our own code."""

from __future__ import annotations

import hashlib
import json
import random
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
OCI_IMAGE = f"{OCI}.manifest.v1+json"
OCI_INDEX = f"{OCI}.index.v1+json"
DOCKER_IMAGE = f"{DOCKER}.distribution.manifest.v2+json"
DOCKER_INDEX = f"{DOCKER}.distribution.manifest.list.v2+json"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def random_bytes(size: int, seed: int) -> bytes:
    source, part = random.Random(seed), 2**24
    parts = [source.randbytes(part) for _ in range(size // part)]
    return b"".join([*parts, source.randbytes(size % part)])


@dataclass(frozen=True)
class Image:
    """A manifest or an index: its own bytes, what it lists, and blobs by digest."""

    media_type: str
    body: bytes
    blobs: dict[str, bytes] = field(default_factory=dict)
    listed: tuple[Image, ...] = ()

    @property
    def digest(self) -> str:
        return digest(self.body)

    @property
    def all_blobs(self) -> dict[str, bytes]:
        found = dict(self.blobs)
        for one in self.listed:
            found |= one.all_blobs
        return found


def image(*layers: bytes, architecture: str = "amd64", docker: bool = False) -> Image:
    """Return an image of these layers, in OCI's form or in Docker's."""
    config = json.dumps(
        {
            "os": "linux",
            "architecture": architecture,
            "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in layers]},
        }
    ).encode()
    kinds = (
        (f"{DOCKER}.container.image.v1+json", f"{DOCKER}.image.rootfs.diff.tar.gzip")
        if docker
        else (f"{OCI}.config.v1+json", f"{OCI}.layer.v1.tar+gzip")
    )
    media_type = DOCKER_IMAGE if docker else OCI_IMAGE
    said = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": _about(config, kinds[0]),
        "layers": [_about(one, kinds[1]) for one in layers],
    }
    blobs = {digest(one): one for one in (config, *layers)}
    return Image(media_type, json.dumps(said, indent=1).encode(), blobs)


def index(listed: Sequence[tuple[str, Image]], *, docker: bool = False) -> Image:
    """Return an index of images by their platforms, such as `linux/amd64`."""
    media_type = DOCKER_INDEX if docker else OCI_INDEX
    entries = []
    for platform, one in listed:
        system, architecture = platform.split("/")
        where = {"os": system, "architecture": architecture}
        entries.append({**_about(one.body, one.media_type), "platform": where})
    said = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    images = tuple(one for _, one in listed)
    return Image(media_type, json.dumps(said, indent=1).encode(), {}, images)


def _about(data: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def push(host: str, repository: str, one: Image, tag: str | None = None) -> None:
    """Write an image into a registry, under its digest and a tag."""
    base = f"http://{host}/v2/{repository}"
    for name, data in one.blobs.items():
        with _ask("POST", f"{base}/blobs/uploads/") as answer:
            where = answer.headers["Location"]
        where = where if "://" in where else f"http://{host}{where}"
        where += ("&" if "?" in where else "?") + f"digest={name}"
        with _ask("PUT", where, data, "application/octet-stream"):
            pass
    for below in one.listed:
        push(host, repository, below)
    with _ask("PUT", f"{base}/manifests/{tag or one.digest}", one.body, one.media_type):
        pass


def pull(host: str, repository: str, version: str) -> bytes:
    """Return the manifest that a registry has under a tag or a digest."""
    with _ask("GET", f"http://{host}/v2/{repository}/manifests/{version}") as answer:
        body: bytes = answer.read()
        return body


def blob(host: str, repository: str, name: str) -> bytes:
    with _ask("GET", f"http://{host}/v2/{repository}/blobs/{name}") as answer:
        body: bytes = answer.read()
        return body


def has(host: str, repository: str, path: str) -> bool:
    """Tell whether a registry has `manifests/VERSION` or `blobs/DIGEST`."""
    try:
        with _ask("HEAD", f"http://{host}/v2/{repository}/{path}"):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return False


def _ask(method: str, url: str, body: bytes | None = None, kind: str = "") -> Any:
    accept = f"{OCI_IMAGE}, {OCI_INDEX}, {DOCKER_IMAGE}, {DOCKER_INDEX}"
    headers = {"Accept": accept, **({"Content-Type": kind} if kind else {})}
    request = urllib.request.Request(url, body, headers, method=method)
    return urllib.request.urlopen(request, timeout=60)
