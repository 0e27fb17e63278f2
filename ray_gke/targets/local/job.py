"""Submit a job to a cluster, tell its log as it grows, and return how it ended."""

from __future__ import annotations

import re
import secrets
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray_gke.errors import FailedError
from ray_gke.events import Emit, LogLine
from ray_gke.targets.local import runtime_env
from ray_gke.targets.local.dashboard_api import (
    Dashboard,
    DashboardError,
    DashboardSilent,
)
from ray_gke.targets.local.launch import Cluster
from ray_gke.targets.local.log_lines import GrowingFile

if TYPE_CHECKING:
    from ray_gke.catalog.blueprint import Job

# What Ray's job manager writes into the log before the driver does; our own steps say
# the same, and the output of a job is what the job writes.
_PREAMBLE = re.compile(
    r"\S+ \S+\tINFO job_manager\.py:\d+ -- Runtime env is setting up\.$"
    r"|Running entrypoint for job \S+: "
)
TERMINAL = ("SUCCEEDED", "FAILED", "STOPPED")
_LOG_SECONDS = 0.1
_STATUS_SECONDS = 0.3
_SILENCE_SECONDS = 60
_STOP_SECONDS = 5
_SHOWN_LINES = 20


@dataclass(frozen=True)
class Result:
    """How a job ended, in Ray's words."""

    status: str
    message: str
    exit_code: int | None
    last_lines: tuple[str, ...] = ()


def log_file(session: str, job_id: str) -> Path:
    """Where Ray writes what the driver of the job writes."""
    return Path(session) / "logs" / f"job-driver-{job_id}.log"


def submit(cluster: Cluster, dashboard: Dashboard, job: Job) -> str:
    """Submit `job` and return its id."""
    job_id = f"{cluster.run.name}-{secrets.token_hex(3)}"
    body = {
        "submission_id": job_id,
        "entrypoint": job.entrypoint,
        "runtime_env": runtime_env.trimmed(job.runtime_env),
        "metadata": job.metadata,
        "entrypoint_num_cpus": job.entrypoint_num_cpus,
        "entrypoint_num_gpus": job.entrypoint_num_gpus,
    }
    try:
        dashboard.post("/api/jobs/", body, timeout=_SILENCE_SECONDS)
    except DashboardError as error:
        raise FailedError(f"Ray refused the job: {_last_line(str(error))}") from None
    except DashboardSilent:
        cluster.check()
        raise FailedError("Ray's job API does not answer") from None
    return job_id


def stop(dashboard: Dashboard, job_id: str) -> None:
    """Stop the job, as far as the cluster still listens, and wait for its end."""
    with suppress(DashboardError, DashboardSilent):
        dashboard.post(f"/api/jobs/{job_id}/stop", {}, timeout=_STOP_SECONDS)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            info = dashboard.get(f"/api/jobs/{job_id}", timeout=_STOP_SECONDS)
            if info["status"] in TERMINAL:
                return
            time.sleep(_LOG_SECONDS)


@dataclass
class Follower:
    """Follows one job until it has ended."""

    cluster: Cluster
    dashboard: Dashboard
    job_id: str
    emit: Emit
    deadline: float | None = None
    _begun: bool = False
    _last: deque[str] = field(default_factory=lambda: deque(maxlen=_SHOWN_LINES))

    def follow(self) -> Result:
        """Tell every line of the job's log once, and return what Ray says of its end.

        The end of the log says nothing: a stream may break while the job goes on.
        """
        path = log_file(self.cluster.head.session, self.job_id)
        with GrowingFile(path) as log:
            return self._result(self._until_ended(log))

    def _until_ended(self, log: GrowingFile) -> Mapping[str, Any]:
        heard = time.monotonic()
        asked = 0.0
        while True:
            self._tell(log.lines())
            if time.monotonic() - asked > _STATUS_SECONDS:
                asked = time.monotonic()
                info = self._info()
                heard = asked if info else heard
                if info and info["status"] in TERMINAL:
                    self._tell(log.last())
                    return info
                self._check(heard)
            time.sleep(_LOG_SECONDS)

    def _tell(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._begun = self._begun or not _PREAMBLE.match(line)
            if not self._begun:
                continue
            self._last.append(line)
            self.emit(LogLine(self.cluster.run.name, "driver", line))

    def _info(self) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self.dashboard.get(f"/api/jobs/{self.job_id}")
        except (DashboardError, DashboardSilent):
            return None
        return found

    def _check(self, heard: float) -> None:
        self.cluster.check()
        if time.monotonic() - heard > _SILENCE_SECONDS:
            raise FailedError("Ray's job API does not answer any more")
        if self.deadline is not None and time.time() > self.deadline:
            stop(self.dashboard, self.job_id)
            raise FailedError(
                f"job {self.cluster.run.name} did not end within its "
                "active_deadline_seconds, and was stopped",
                hint="raise spec.job.active_deadline_seconds",
            )

    def _result(self, info: Mapping[str, Any]) -> Result:
        return Result(
            status=info["status"],
            message=info["message"] or "",
            exit_code=info["driver_exit_code"],
            last_lines=tuple(self._last),
        )


def failure(name: str, result: Result) -> FailedError:
    """Return the error for a job that did not succeed."""
    if result.status == "STOPPED":
        return FailedError(f"job {name} was stopped")
    code = "" if result.exit_code is None else f" with exit code {result.exit_code}"
    lines = result.last_lines if code else tuple(result.message.splitlines())
    shown = "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:])
    return FailedError(
        f"job {name} failed{code}; its last lines:\n{shown}",
        hint=f"ray-gke logs {name} shows all of them",
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
