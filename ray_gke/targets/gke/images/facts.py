"""What cloud and registries say of a platform's images, asked for all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ray_gke.catalog.networks import ExistingNetwork
from ray_gke.errors import RefusedError
from ray_gke.gke.image_names import parse
from ray_gke.gke.image_registry import ImageRegistry
from ray_gke.targets.gke.images import manifests
from ray_gke.targets.gke.images.manifests import Registries, Seen
from ray_gke.targets.gke.images.places import Place, place
from ray_gke.targets.gke.images.streaming import API, Cloud, Judge, Streaming
from ray_gke.targets.gke.later import Later
from ray_gke.targets.google.answers import Subnetwork, Unread

if TYPE_CHECKING:
    from ray_gke.targets.google.client import Google


@dataclass(frozen=True)
class Asked:
    """Whom to ask about which images.

    `google` returns Google Cloud as a project sees it. `images` are the originals by
    the names under which nodes pull them. `existing` is a network that was there.
    """

    registry: ImageRegistry
    node_account: str
    images: Mapping[str, str]
    existing: ExistingNetwork | None
    google: Callable[[str], Google]
    registries: Registries

    def streaming(self) -> list[Streaming]:
        """Return whether each image streams. Raises RefusedError with nothing read."""
        later = {
            image: Later(partial(manifests.seen, self.registries, image, original))
            for image, original in self.images.items()
        }
        cloud = self._cloud()
        seen = {image: one.answer() for image, one in later.items()}
        _anything(cloud, seen)
        judge = Judge(self.registry, self.node_account, cloud)
        return [judge.judged(one, self.images[one], seen[one]) for one in self.images]

    def _cloud(self) -> Cloud:
        project = self.registry.project
        places = {at for at in map(_place, self.images) if at}
        lists = {
            (at.project, at.location): Later(
                partial(self.google(at.project).repositories, at.location)
            )
            for at in places
        }
        member = f"serviceAccount:{self.node_account}"
        roles = {
            name: Later(partial(self.google(name).project_roles, member))
            for name in {at.project for at in places}
        }
        apis = Later(partial(self.google(project).enabled_apis, [API]))
        access = Later(self._private_access)
        on = apis.answer()
        return Cloud(
            on if isinstance(on, Unread) else API in on,
            {where: one.answer() for where, one in lists.items()},
            {name: one.answer() for name, one in roles.items()},
            access.answer(),
        )

    def _private_access(self) -> bool | Unread | None:
        given = self.existing
        if given is None:
            return None
        google = self.google(self.registry.project)
        region, host = self.registry.location, given.network_project_id
        found = google.subnetworks(region, host)
        if isinstance(found, Unread):
            return found
        return _access(found, given.subnetwork)


def _place(image: str) -> Place | None:
    return place(parse(image))


def _access(found: tuple[Subnetwork, ...], name: str) -> bool | Unread:
    for one in found:
        if one.name == name:
            return one.private_ip_google_access
    return Unread("failed", f"there is no subnetwork {name}")


def _anything(cloud: Cloud, seen: Mapping[str, Seen]) -> None:
    """Raise RefusedError where nobody told anything."""
    answers = [
        cloud.streaming_api,
        *cloud.repositories.values(),
        *cloud.roles.values(),
    ]
    unread = [one for one in answers if isinstance(one, Unread)]
    if len(unread) < len(answers) or any(one.read for one in seen.values()):
        return
    raise RefusedError(
        f"nothing may be read, neither of Google Cloud nor of registries: "
        f"{unread[0].message}",
        hint="ray-gke doctor says what is missing",
    )
