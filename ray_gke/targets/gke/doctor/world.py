"""Who is asked, for a platform whose stacks are on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ray_gke.targets.gke.doctor.asking import World
from ray_gke.targets.gke.doctor.here import Here
from ray_gke.targets.gke.stacks import Stacks

if TYPE_CHECKING:
    from ray_gke.targets.google.answers import Unread
    from ray_gke.targets.google.client import Google


def of(stacks: Stacks, tell: Callable[[str], object]) -> World:
    """Return Google's clients, the registries, and this machine; see `World`."""

    def login() -> Google:
        token()
        return stacks.google

    def token() -> str:
        return stacks.credentials.token()

    from ray_gke.targets.registry.client import Registries
    from ray_gke.targets.registry.connections import LOOKING

    def stored(url: str) -> bool | Unread:
        return login().object_exists(url)

    registries = Registries(token, patience=LOOKING)
    here = Here(stacks.copy, lambda: stacks.program, stored)
    return World(login, registries.exists, here, tell)
