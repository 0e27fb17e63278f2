"""The target `local`: real Ray processes on this machine, from a plan."""

from ray_gke.targets.local.down import down
from ray_gke.targets.local.logs import logs
from ray_gke.targets.local.status import dashboard, names_of_running, run, runs
from ray_gke.targets.local.submit import submit
from ray_gke.targets.local.up import up
from ray_gke.targets.runs import GroupStatus, Opened, Run, Worker

__all__ = [
    "GroupStatus",
    "Opened",
    "Run",
    "Worker",
    "dashboard",
    "down",
    "logs",
    "names_of_running",
    "run",
    "runs",
    "submit",
    "up",
]
