"""A RayJob that runs or has run: tell what it writes, and how it ends."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from ray_gke.errors import FailedError
from ray_gke.events import Emit, Finished, LogLine
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import causes, inventory, logs, view
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.job_states import has_ended, has_failed
from ray_gke.targets.kubernetes.live import Wanted
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.steps import step

_POLL_SECONDS = 1.0
_SHOWN_LINES = 20


def finish(api: Api, run: Wanted, emit: Emit, *, detach: bool) -> None:
    """Tell all that the job of a run writes until it has ended, and how it ended.

    With `detach` only that it runs. Raises FailedError when it did not succeed.
    """
    job = _Job(api, run.ray, run.name)
    if detach and not job.has_ended():
        emit(Finished(run.name, "RUNNING", job.seconds, run.ray.name))
        return
    lines: deque[str] = deque(maxlen=_SHOWN_LINES)
    with step(emit, run.name, "job") as outcome:
        for told in logs.job_output(
            api, run.name, run.ray, follow=True, ended=job.has_ended
        ):
            if isinstance(told, LogLine):
                lines.append(told.text)
            emit(told)
        outcome.detail = job.status
    done = Finished(run.name, job.status, job.seconds, job.message)
    emit(done)
    if job.status != "SUCCEEDED":
        raise _failure(api, run, job, list(lines))


@dataclass
class _Job:
    """The RayJob as it was last seen; asks at most once a second."""

    api: Api
    ref: Ref
    name: str
    _seen: Manifest = field(default_factory=dict)
    _asked: float = 0.0

    def has_ended(self) -> bool:
        """Tell whether nothing more will come. Raises FailedError when it is gone."""
        now = time.monotonic()
        if now > self._asked + _POLL_SECONDS or not self._asked:
            self._asked = now
            found = self.api.get(self.ref)
            if found is None:
                raise FailedError(
                    f"job {self.name} was removed while it ran",
                    hint=f"ray-gke up {self.name} runs it again",
                )
            self._seen = found
        return has_ended(self._seen)

    @property
    def status(self) -> str:
        """How it ended, in Ray's words."""
        found = self._status.get("jobStatus") or ""
        failed = has_failed(self._seen)
        return "FAILED" if failed and found != "STOPPED" else found or "PENDING"

    @property
    def message(self) -> str:
        """What KubeRay says of its end."""
        return str(self._status.get("message") or self._status.get("reason") or "")

    @property
    def seconds(self) -> float:
        """How long it took, or takes by now."""
        began, ended = (self._status.get(key) for key in ("startTime", "endTime"))
        if not began:
            return 0.0
        end = datetime.fromisoformat(ended).timestamp() if ended else time.time()
        return max(0.0, end - datetime.fromisoformat(began).timestamp())

    @property
    def _status(self) -> Manifest:
        found: Manifest = self._seen.get("status") or {}
        return found


def _failure(api: Api, run: Wanted, job: _Job, lines: list[str]) -> FailedError:
    if job.status == "STOPPED":
        return FailedError(f"job {run.name} was stopped")
    if lines:
        shown = "\n".join(f"  {line}" for line in lines)
        return FailedError(
            f"job {run.name} failed; its last lines:\n{shown}",
            hint=f"ray-gke logs {run.name} shows all of them",
        )
    known = inventory.find(api, run.namespace, run.name)
    found = causes.causes(view.read(api, known), time.time()) if known else []
    if found:
        return FailedError(f"job {run.name} failed: {found[0].what}", hint=found[0].fix)
    hint = f"ray-gke explain {run.name} shows more"
    return FailedError(f"job {run.name} failed: {job.message}", hint=hint)
