"""Who is asked, for a platform whose stacks are on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ray_gke.targets.gke.doctor.asking import World
from ray_gke.targets.gke.doctor.here import Here
from ray_gke.targets.gke.stacks import Stacks

if TYPE_CHECKING:
    from ray_gke.targets.google.client import Google


def of(stacks: Stacks) -> World:
    """Return Google's clients, the registries, and this machine."""

    def login() -> Google:
        token()
        return stacks.google

    def token() -> str:
        return stacks.credentials.token()

    from ray_gke.targets.registry.client import Registries
    from ray_gke.targets.registry.connections import LOOKING

    registries = Registries(token, patience=LOOKING)
    return World(login, registries.exists, Here(stacks.copy, lambda: stacks.program))
