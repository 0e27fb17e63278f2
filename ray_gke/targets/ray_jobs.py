"""Jobs of a running Ray cluster: submit one, follow what it writes, stop it."""

from __future__ import annotations

import re
import secrets
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ray_gke.errors import FailedError, InterruptedRun
from ray_gke.events import Emit, Finished, LogLine, Note
from ray_gke.targets import job_log, working_dir
from ray_gke.targets.ray_api import (
    TERMINAL,
    Dashboard,
    DashboardError,
    DashboardSilent,
)

# What Ray's job manager writes into the log; our own steps say the same, and the output
# of a job is what the job writes.
PREAMBLE = re.compile(
    r"\S+ \S+\tINFO job_manager\.py:\d+ -- Runtime env is setting up\.$"
)
ENTRYPOINT = re.compile(r"Running entrypoint for job \S+: ")
"""Ray flushes this line after it has started the job, which may be quicker."""
_SUBMIT_SECONDS = 60
_STOP_SECONDS = 5
_POLL_SECONDS = 0.1
_SHOWN_LINES = 20


@dataclass(frozen=True)
class Result:
    """How a job ended, in Ray's words."""

    status: str
    message: str
    exit_code: int | None
    last_lines: tuple[str, ...] = ()

    @classmethod
    def of(cls, info: Mapping[str, Any], output: Output) -> Result:
        """Return it from what Ray says of the job, and from what the job wrote."""
        return cls(
            status=info["status"],
            message=info["message"] or "",
            exit_code=info["driver_exit_code"],
            last_lines=tuple(output.last_lines),
        )


@dataclass
class Output:
    """Tells what the job of the run `name` writes, without what Ray writes before."""

    name: str
    emit: Emit
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=_SHOWN_LINES))
    _begun: bool = False
    _named: bool = False

    def tell(self, lines: Iterable[str]) -> None:
        """Tell each of the next lines of the job's log."""
        for line in lines:
            if not self._named and ENTRYPOINT.match(line):
                self._named = True
                continue
            self._begun = self._begun or not PREAMBLE.match(line)
            if not self._begun:
                continue
            self.last_lines.append(line)
            self.emit(LogLine(self.name, "driver", line))


def run(  # noqa: PLR0913 as Ray's API has it
    dashboard: Dashboard,
    name: str,
    entrypoint: str,
    *,
    folder: Path | None,
    runtime_env: Mapping[str, Any],
    detach: bool,
    emit: Emit,
) -> Finished:
    """Run a command as a job on the cluster of the run `name`, in a copy of `folder`.

    Returns when it has succeeded, with `detach` when it has been submitted. Raises
    FailedError when it fails, InterruptedRun when Ctrl-C ends the following.
    """
    begun = time.monotonic()
    job_id = new_id(name)
    try:
        env = dict(runtime_env)
        if folder:
            env["working_dir"] = working_dir.upload(dashboard, folder)
        body = {"entrypoint": entrypoint, "runtime_env": env}
        submit(dashboard, job_id, body)
    except DashboardSilent:
        raise FailedError("Ray's job API does not answer") from None
    if detach:
        done = Finished(name, "RUNNING", time.monotonic() - begun, job_id)
        emit(done)
        return done
    emit(Note(name, f"submitted as {job_id}"))
    result = _follow(dashboard, name, job_id, emit)
    seconds = time.monotonic() - begun
    done = Finished(name, result.status, seconds, result.message)
    emit(done)
    if result.status != "SUCCEEDED":
        raise failure(job_id, result, hint=f"ray-gke dashboard {name} shows the job")
    return done


def new_id(name: str) -> str:
    """Return an id for a job of the run `name`."""
    return f"{name}-{secrets.token_hex(3)}"


def submit(dashboard: Dashboard, job_id: str, body: Mapping[str, Any]) -> None:
    """Submit a job; raises FailedError when Ray refuses it, or DashboardSilent."""
    try:
        dashboard.post(
            "/api/jobs/", {"submission_id": job_id, **body}, timeout=_SUBMIT_SECONDS
        )
    except DashboardError as error:
        raise FailedError(f"Ray refused the job: {_last_line(str(error))}") from None


def stop(dashboard: Dashboard, job_id: str) -> None:
    """Stop the job, as far as the cluster still listens, and wait for its end."""
    with suppress(DashboardError, DashboardSilent):
        dashboard.post(f"/api/jobs/{job_id}/stop", {}, timeout=_STOP_SECONDS)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            found = dashboard.get(f"/api/jobs/{job_id}", timeout=_STOP_SECONDS)
            if found["status"] in TERMINAL:
                return
            time.sleep(_POLL_SECONDS)


def failure(name: str, result: Result, *, hint: str = "") -> FailedError:
    """Return the error for a job that did not succeed."""
    if result.status == "STOPPED":
        return FailedError(f"job {name} was stopped")
    code = "" if result.exit_code is None else f" with exit code {result.exit_code}"
    lines = result.last_lines if code else tuple(result.message.splitlines())
    shown = "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:])
    return FailedError(
        f"job {name} failed{code}; its last lines:\n{shown}",
        hint=hint or f"ray-gke logs {name} shows all of them",
    )


def _follow(dashboard: Dashboard, name: str, job_id: str, emit: Emit) -> Result:
    output = Output(name, emit)
    try:
        return Result.of(job_log.follow(dashboard, job_id, output.tell), output)
    except KeyboardInterrupt:
        raise InterruptedRun(
            f"job {job_id} goes on; only the following of it was stopped",
            hint=f"ray-gke dashboard {name} shows it",
        ) from None


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
