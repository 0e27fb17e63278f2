"""The target `local`: real Ray processes on this machine, from a plan."""

from ray_gke.targets.local.down import down
from ray_gke.targets.local.logs import logs
from ray_gke.targets.local.status import (
    GroupStatus,
    Login,
    Run,
    Worker,
    dashboard,
    names_of_running,
    run,
    runs,
)
from ray_gke.targets.local.up import up

__all__ = [
    "GroupStatus",
    "Login",
    "Run",
    "Worker",
    "dashboard",
    "down",
    "logs",
    "names_of_running",
    "run",
    "runs",
    "up",
]
