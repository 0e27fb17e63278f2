"""The repositories of Artifact Registry next to a cluster, and their images' names.

The Terraform module `image-registry` makes them. Sources: Artifact Registry "Remote
repositories overview" (a remote repository is named where its upstream's host was) and
"Repository and image names" (the colon of a domain-scoped project is a slash).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from ray_gke.gke.image_names import DOCKER_HUB, ImageName, mirrored, parse

Mode = Literal["pull-through", "mirror"]

UPSTREAMS = {
    "quay.io": "quay-io",
    "registry.k8s.io": "registry-k8s-io",
    "ghcr.io": "ghcr-io",
}
"""Public registries that are pulled through beside Docker Hub: how the name ends."""

_REMOTE = {DOCKER_HUB: "docker-hub", **UPSTREAMS}
_GOOGLES_OWN = (".pkg.dev", ".gcr.io")
_DIGITS = 8


@dataclass(frozen=True)
class ImageRegistry:
    """Where the nodes of a cluster find images: `name` is the cluster's.

    With `preload` the nodes with GPUs have the images on a disk of their own as well.
    """

    mode: Mode
    location: str
    project: str
    name: str
    preload: bool = False

    @property
    def host(self) -> str:
        """What the registry of the location is called."""
        return f"{self.location}-docker.pkg.dev"

    def repository(self, key: str) -> str:
        """Return what names of images in one of the repositories begin with.

        `key` is how its name ends: images, docker-hub, or one of UPSTREAMS.
        """
        return f"{self.host}/{self.project.replace(':', '/')}/{self.name}-{key}"

    @property
    def images(self) -> str:
        """What names of copies begin with, and of images that users push."""
        return self.repository("images")

    def pulled(self, reference: str) -> str:
        """Return the name under which nodes pull an image.

        It is as it was where no repository has it: in Google's registries, and with
        pull-through at hosts that are not public ones. Raises InvalidError for what
        names no image.
        """
        name = parse(reference)
        if is_googles(name.host):
            return reference
        if self.mode == "mirror":
            return str(mirrored(name, self.images))
        if name.host not in _REMOTE:
            return reference
        _, _, path = self.repository(_REMOTE[name.host]).partition("/")
        return str(replace(name, host=self.host, path=f"{path}/{name.path}"))

    def original(self, pulled: str) -> str | None:
        """Return what a remote repository pulls for such a name, None for others."""
        for host, key in _REMOTE.items():
            prefix = f"{self.repository(key)}/"
            if pulled.startswith(prefix):
                return f"{host}/{pulled.removeprefix(prefix)}"
        return None

    def upstreams(self, pulled: Collection[str]) -> dict[str, str]:
        """Return which remote repositories beside Docker Hub's these images need.

        By how their names end, with the address that each pulls from.
        """
        return {
            key: f"https://{host}"
            for host, key in UPSTREAMS.items()
            if any(one.startswith(f"{self.repository(key)}/") for one in pulled)
        }


def is_googles(host: str) -> bool:
    """Tell whether a registry is one of Google's: Artifact Registry, or gcr.io."""
    return host == "gcr.io" or host.endswith(_GOOGLES_OWN)


def cannot_stream(name: ImageName) -> bool:
    """Tell whether no repository next to the cluster pulls an image through."""
    return name.host not in _REMOTE and not is_googles(name.host)


def preload_image(registry: ImageRegistry, pulled: Collection[str]) -> str:
    """Return the disk image that has all these images: other images, another disk.

    Its name has at most 63 characters: 8 of ours, 40 of the cluster's, 9 of the digest.
    """
    text = "\n".join(sorted(set(pulled)))
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    name = f"ray-gke-{registry.name}-{digest}"
    return f"projects/{registry.project}/global/images/{name}"
