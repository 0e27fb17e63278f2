"""Names of container images, as Docker and containerd read them.

Source: github.com/distribution/reference (grammar and `normalize.go`): a first part
without a dot or a port that is not `localhost` belongs to Docker Hub, whose single
names stand in `library/`; a name without tag and digest means the tag `latest`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ray_gke.errors import InvalidError

DOCKER_HUB = "docker.io"
LATEST = "latest"

_ALSO_DOCKER_HUB = {"index.docker.io", "registry-1.docker.io"}
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[\da-fA-F:]+\])(?::\d+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = rf"{_PART}(?:/{_PART})*"
_TAG = r"\w[\w.-]{0,127}"
_DIGEST = r"sha256:[\da-f]{64}"
_NAME = re.compile(rf"({_PATH})(?::({_TAG}))?(?:@({_DIGEST}))?", re.ASCII)
_LONGEST_PATH = 255


@dataclass(frozen=True)
class ImageName:
    """An image in a registry: under a tag, by its digest, or both (the digest counts).

    `host` has its port, if any; `path` is the repository's.
    """

    host: str
    path: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        """Return the whole name; that of Docker Hub begins with `docker.io/`."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"

    @property
    def repository(self) -> str:
        """The name without tag and digest."""
        return f"{self.host}/{self.path}"

    @property
    def version(self) -> str:
        """What a registry is asked for: the digest, or else the tag."""
        return self.digest or self.tag or LATEST

    def pinned(self, digest: str) -> ImageName:
        """Return the same image by its digest alone."""
        return replace(self, tag=None, digest=digest)


def parse(reference: str) -> ImageName:
    """Return what a reference names. Raises InvalidError for what names no image."""
    host, rest = _split(reference)
    match = _NAME.fullmatch(rest)
    if not (match and re.fullmatch(_HOST, host)) or len(match[1]) > _LONGEST_PATH:
        raise InvalidError(
            f"{reference!r} is no name of an image",
            hint="write HOST/PATH:TAG or HOST/PATH@sha256:DIGEST, in lower case, for "
            "example quay.io/kuberay/collector:v1.7.0",
        )
    path, tag, digest = match.groups()
    if host == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return ImageName(host, path, tag if tag or digest else LATEST, digest)


def _split(reference: str) -> tuple[str, str]:
    """Split off the host; as Docker does, a part in upper case is taken for one."""
    first, slash, rest = reference.partition("/")
    is_host = any(c in first for c in ".:") or first.lower() != first
    if not slash or not (is_host or first == "localhost"):
        return DOCKER_HUB, reference
    return DOCKER_HUB if first in _ALSO_DOCKER_HUB else first, rest


def mirrored(name: ImageName, prefix: str) -> ImageName:
    """Return the name of an image's copy below `prefix`, a repository of a registry.

    Host and path of the original are kept, so that no two originals meet; Docker Hub's
    host is left out. What lies below `prefix` already is its own copy.
    """
    host, below = _split(f"{prefix.rstrip('/')}/")
    if name.repository.startswith(f"{host}/{below}"):
        return name
    source = "" if name.host == DOCKER_HUB else f"{_as_part(name.host)}/"
    return replace(name, host=host, path=f"{below}{source}{name.path}")


def _as_part(host: str) -> str:
    """Return a host as a part of a path, which has neither colons nor capitals."""
    return re.sub(r"[^a-z0-9.-]+", "-", host.lower()).strip("-")
