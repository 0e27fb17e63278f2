"""Every question about a platform, asked once, and all of them at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ray_gke.errors import Problem, RayGkeError, RefusedError
from ray_gke.gke.image_names import ImageName, parse
from ray_gke.targets.gke.doctor import permissions
from ray_gke.targets.gke.doctor.here import Here, Terraform
from ray_gke.targets.gke.doctor.needs import APIS, Needs
from ray_gke.targets.gke.doctor.quota_project import told_apart
from ray_gke.targets.gke.doctor.state import Ours
from ray_gke.targets.gke.later import Later
from ray_gke.targets.google.answers import (
    ClusterSeen,
    Granted,
    Project,
    Region,
    Repository,
    ServerConfig,
    ServiceAccount,
    Subnetwork,
    Unread,
)

if TYPE_CHECKING:
    from ray_gke.targets.google.client import Google

_TIMES, _SECONDS = 12, 10.0
"""How often an API that has just been enabled is asked again, and after how long.

Google's own error says to wait a few minutes.
"""


@dataclass(frozen=True)
class World:
    """Who is asked.

    `login` returns Google's clients. It raises RefusedError where there is no valid
    login. `exists` tells whether a registry has an image, None where nobody may know.
    `tell` is told what is waited for, by `sleep`.
    """

    login: Callable[[], Google]
    exists: Callable[[ImageName], bool | None]
    here: Here
    tell: Callable[[str], object]
    sleep: Callable[[float], object] = time.sleep


@dataclass(frozen=True)
class Cloud:
    """What Google Cloud answered; what was not asked for is None or empty.

    `disks` are those boot disks that are the project's own, `existing` is asked in the
    project of a network that is there, `bucket` is what may be done in the state's.
    """

    project: Project | Unread | None
    billing: bool | Unread
    apis: frozenset[str] | Unread
    granted: frozenset[str] | Unread
    region: Region | Unread | None
    global_quotas: Mapping[str, Granted] | Unread
    accelerators: Mapping[str, frozenset[str]] | Unread
    machine_types: Mapping[str, frozenset[str]] | Unread
    versions: ServerConfig | Unread
    clusters: tuple[ClusterSeen, ...] | Unread
    networks: frozenset[str] | Unread
    subnetworks: tuple[Subnetwork, ...] | Unread
    routers: frozenset[str] | Unread
    repositories: tuple[Repository, ...] | Unread
    account: ServiceAccount | Unread | None
    disks: Mapping[str, bool | Unread]
    family_quotas: Mapping[str, Granted] | Unread
    existing: tuple[Subnetwork, ...] | Unread
    bucket: frozenset[str] | Unread

    @property
    def answered(self) -> bool:
        """Tell whether Google has said anything of the project."""
        return not all(
            isinstance(one, Unread) for one in (self.project, self.apis, self.granted)
        )

    def unread(self) -> list[Unread]:
        """Return why there was no answer, for each question that had none."""
        answers = [*vars(self).values(), *self.disks.values()]
        return [one for one in answers if isinstance(one, Unread)]


@dataclass(frozen=True)
class Answers:
    """What everybody answered; `login` is why Google was not asked.

    `images` by name: whether it is there, None or a problem where nobody may know.
    """

    terraform: Terraform
    ours: Ours
    images: Mapping[str, bool | Problem | None]
    cloud: Cloud | None = None
    login: Problem | None = None


def ask(needs: Needs, world: World, new: Collection[str] = ()) -> Answers:
    """Ask everybody. Without a login Google and the registries are not asked.

    `new` are APIs that have just been enabled: until they answer, they are waited for.
    """
    here = Later(lambda: world.here.look(needs))
    try:
        google = world.login()
    except RefusedError as error:
        return Answers(*here.answer(), {}, login=error.problems[0])
    own = {one: name for one in needs.boot_disks if (name := _own(one, needs.project))}
    disks = {f"disk {one}": partial(google.disk_image, own[one]) for one in own}
    asked: dict[str, Callable[[], Any]] = {**_asked(needs, google), **disks}
    cloud = {name: Later(question) for name, question in asked.items()}
    images = {one: Later(partial(_image, one, needs, world)) for one in needs.images}
    found = {name: later.answer() for name, later in cloud.items()}
    found = _once_known(told_apart(found, needs.project), asked, new, needs, world)
    seen = {name: later.answer() for name, later in images.items()}
    there = {one: found.pop(f"disk {one}") for one in own}
    return Answers(*here.answer(), seen, Cloud(**found, disks=there))


def _once_known(
    found: dict[str, Any],
    asked: Mapping[str, Callable[[], Any]],
    new: Collection[str],
    needs: Needs,
    world: World,
) -> dict[str, Any]:
    """Ask again what an API has not answered that Google does not know everywhere."""
    for turn in range(_TIMES):
        late = {name: one.api for name, one in found.items() if _is_late(one, new)}
        if not late:
            break
        if turn == 0:
            names, most = ", ".join(sorted({*late.values()})), _TIMES * _SECONDS
            world.tell(f"waiting, {most:.0f} s at most, until Google knows of {names}")
        world.sleep(_SECONDS)
        again = {name: Later(asked[name]) for name in late}
        answers = {name: later.answer() for name, later in again.items()}
        found = told_apart({**found, **answers}, needs.project)
    return found


def _is_late(answer: Any, new: Collection[str]) -> bool:
    """Tell whether it was asked of an API that is on, for all that we know."""
    return (
        isinstance(answer, Unread) and answer.reason == "api_off" and answer.api in new
    )


def _asked(needs: Needs, google: Google) -> dict[str, Callable[[], Any]]:
    """Return the questions to Google by the names that `Cloud` has for them."""
    region, existing = needs.region, needs.existing
    wanted = permissions.asked(permissions.purposes(needs))
    return {
        # These are begun first, since their answers have the most pages.
        "accelerators": _if(
            needs.accelerators, lambda: google.accelerator_zones(region)
        ),
        "machine_types": lambda: google.machine_type_zones(region, needs.machine_types),
        "project": google.project,
        "billing": google.billing_enabled,
        "apis": lambda: google.enabled_apis(APIS),
        "granted": lambda: google.granted(wanted),
        "region": lambda: google.region(region),
        "global_quotas": google.global_quotas,
        "family_quotas": _if(needs.gpu_families, lambda: google.family_quotas(region)),
        "versions": lambda: google.server_config(needs.location),
        "clusters": google.clusters,
        "networks": _if(not existing, google.networks),
        "subnetworks": _if(not existing, lambda: google.subnetworks(region)),
        "routers": _if(not existing, lambda: google.routers(region)),
        "repositories": lambda: google.repositories(region),
        "account": lambda: google.service_account(needs.node_account),
        "bucket": _if(
            needs.backend,
            lambda: google.granted_on_bucket(
                needs.backend["bucket"], permissions.STATE
            ),
        ),
        "existing": _if(
            existing,
            lambda: google.subnetworks(
                region, existing.network_project_id if existing else None
            ),
        ),
    }


def _own(disk_image: str, project: str) -> str | None:
    """Return the name of a disk image of the project, None for that of another."""
    where, _, name = disk_image.rpartition("global/images/")
    parts = where.rstrip("/").split("/")
    return name if parts[-1] in ("", project) else None


def _if(needed: object, question: Callable[[], Any]) -> Callable[[], Any]:
    return question if needed else dict


def _image(name: str, needs: Needs, world: World) -> bool | Problem | None:
    """Ask for an image, or else for what a repository that is yet to come pulls."""
    there = _exists(name, world)
    original = needs.original(name)
    return there if there is True or original is None else _exists(original, world)


def _exists(name: str, world: World) -> bool | Problem | None:
    try:
        return world.exists(parse(name))
    except RayGkeError as error:
        return error.problems[0]
