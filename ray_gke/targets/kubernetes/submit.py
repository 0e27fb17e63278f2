"""Run a command as a job on the Ray cluster of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray_gke.events import Emit, Finished
from ray_gke.targets import ray_jobs
from ray_gke.targets.kubernetes import head, permissions
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.head import DASHBOARD_PORT
from ray_gke.targets.kubernetes.port_forward import forward
from ray_gke.targets.ray_api import Dashboard


def submit(  # noqa: PLR0913 as Ray's API has it
    api: Api,
    namespace: str,
    name: str,
    entrypoint: str,
    *,
    working_dir: Path | None,
    runtime_env: Mapping[str, Any],
    detach: bool,
    emit: Emit,
) -> Finished:
    """Run `entrypoint` as a job on the run `name`, in a copy of `working_dir`.

    See `ray_jobs.run`. Raises UsageError when there is no such run, RefusedError when
    its head is not ready.
    """
    run = head.find(api, namespace, name)
    permissions.check(api, permissions.for_dashboard(namespace))
    cluster = head.cluster(api, run)
    head.pod(api, namespace, cluster)
    token = head.token(api, namespace, cluster)

    def pod() -> str:
        return head.pod(api, namespace, cluster)

    with forward(api, namespace, pod, DASHBOARD_PORT) as port:
        return ray_jobs.run(
            Dashboard(f"127.0.0.1:{port}", lambda: token),
            name,
            entrypoint,
            folder=working_dir,
            runtime_env=runtime_env,
            detach=detach,
            emit=emit,
        )
