"""Run a command as a job on a cluster that is up on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray_gke.errors import RefusedError
from ray_gke.events import Emit, Finished
from ray_gke.targets import ray_jobs
from ray_gke.targets.local import runtime_env as packages
from ray_gke.targets.local.down import find
from ray_gke.targets.local.status import head_of
from ray_gke.targets.ray_api import Dashboard


def submit(  # noqa: PLR0913 as Ray's API has it
    name: str,
    entrypoint: str,
    *,
    working_dir: Path | None,
    runtime_env: Mapping[str, Any],
    detach: bool,
    emit: Emit,
) -> Finished:
    """Run `entrypoint` as a job on the run `name`, in a copy of `working_dir`.

    See `ray_jobs.run`. Raises RefusedError when the run is not up.
    """
    run = find(name)
    head = head_of(run)
    if head is None:
        raise RefusedError(f"{name} is not running", hint="ray-gke status")
    return ray_jobs.run(
        Dashboard(head.dashboard, run.read_token),
        name,
        entrypoint,
        folder=working_dir,
        runtime_env=packages.trimmed(runtime_env),
        detach=detach,
        emit=emit,
    )
