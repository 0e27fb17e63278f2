"""Submit a job to a cluster, tell its log as it grows, and return how it ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray_gke.errors import FailedError
from ray_gke.events import Emit
from ray_gke.targets import ray_jobs
from ray_gke.targets.job_log import SILENCE_SECONDS
from ray_gke.targets.local import runtime_env
from ray_gke.targets.local.launch import Cluster
from ray_gke.targets.local.log_lines import GrowingFile
from ray_gke.targets.ray_api import TERMINAL, Dashboard, DashboardSilent

if TYPE_CHECKING:
    from ray_gke.catalog.blueprint import Job

_LOG_SECONDS = 0.1
_STATUS_SECONDS = 0.3


def log_file(session: str, job_id: str) -> Path:
    """Where Ray writes what the driver of the job writes."""
    return Path(session) / "logs" / f"job-driver-{job_id}.log"


def submit(cluster: Cluster, dashboard: Dashboard, job: Job) -> str:
    """Submit `job` and return its id."""
    job_id = ray_jobs.new_id(cluster.run.name)
    body = {
        "entrypoint": job.entrypoint,
        "runtime_env": runtime_env.trimmed(job.runtime_env),
        "metadata": job.metadata,
        "entrypoint_num_cpus": job.entrypoint_num_cpus,
        "entrypoint_num_gpus": job.entrypoint_num_gpus,
    }
    try:
        ray_jobs.submit(dashboard, job_id, body)
    except DashboardSilent:
        cluster.check()
        raise FailedError("Ray's job API does not answer") from None
    return job_id


@dataclass
class Follower:
    """Follows one job until it has ended."""

    cluster: Cluster
    dashboard: Dashboard
    job_id: str
    emit: Emit
    deadline: float | None = None
    _output: ray_jobs.Output = field(init=False)

    def __post_init__(self) -> None:
        self._output = ray_jobs.Output(self.cluster.run.name, self.emit)

    def follow(self) -> ray_jobs.Result:
        """Tell every line of the job's log once, and return what Ray says of its end.

        The end of the log says nothing: a stream may break while the job goes on.
        """
        path = log_file(self.cluster.head.session, self.job_id)
        with GrowingFile(path) as log:
            return ray_jobs.Result.of(self._until_ended(log), self._output)

    def _until_ended(self, log: GrowingFile) -> Mapping[str, Any]:
        heard = time.monotonic()
        asked = 0.0
        while True:
            self._output.tell(log.lines())
            if time.monotonic() - asked > _STATUS_SECONDS:
                asked = time.monotonic()
                info = self.dashboard.job(self.job_id)
                heard = asked if info else heard
                if info and info["status"] in TERMINAL:
                    self._output.tell(log.last())
                    return info
                self._check(heard)
            time.sleep(_LOG_SECONDS)

    def _check(self, heard: float) -> None:
        self.cluster.check()
        if time.monotonic() - heard > SILENCE_SECONDS:
            raise FailedError("Ray's job API does not answer any more")
        if self.deadline is not None and time.time() > self.deadline:
            ray_jobs.stop(self.dashboard, self.job_id)
            raise FailedError(
                f"job {self.cluster.run.name} did not end within its "
                "active_deadline_seconds, and was stopped",
                hint="raise spec.job.active_deadline_seconds",
            )
