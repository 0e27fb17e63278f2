"""What a RayJob has written, from the pods that submit it and follow its log."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ray_gke.events import LogLine, Note
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.job_states import has_ended
from ray_gke.targets.kubernetes.log_stream import Stream
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.kubernetes.streams import Streams
from ray_gke.targets.kubernetes.submitter_log import SubmitterLog, Told

_CONTAINER = "ray-job-submitter"
_JOB_ID = "RAY_JOB_SUBMISSION_ID"
_POLL_SECONDS = 1.0
_QUIET_TURNS = 10


def job_output(
    api: Api, name: str, ray_job: Ref, *, follow: bool, ended: Callable[[], bool]
) -> Iterator[LogLine | Note]:
    """Yield each line that the RayJob of the run `name` writes, once.

    With `follow` it waits for the job, goes on with another submitter when one fails,
    and ends when `ended` says so, which it is asked about once a second, and all is
    read. When a submitter never came to follow the job, what it said instead is told.
    When no submitter is left, a note says so at the end.
    """
    output = _Output(api, ray_job.namespace, ray_job.name, follow, ended)
    for line in output.lines():
        yield LogLine(name, "driver", line)
    if not output.read and _has_run(api.get(ray_job)):
        text = (
            f"its output is gone with its pod; ray-gke up {name} --rerun runs it again"
        )
        yield Note(name, text, warning=True)


@dataclass
class _Output:
    api: Api
    namespace: str
    name: str
    follow: bool
    ended: Callable[[], bool]
    told: defaultdict[str, Told] = field(default_factory=lambda: defaultdict(Told))
    read: set[str] = field(default_factory=set)

    def lines(self) -> Iterator[str]:
        log = None
        while True:
            last = not self.follow or self.ended()
            for pod in self._submitters():
                # After a retry of the whole job it is another job, which tells all.
                job_id = _job_id(pod)
                log = SubmitterLog(job_id)
                yield from self.told[job_id].new(log.job_lines(self._of(pod)))
            if last:
                break
            time.sleep(_POLL_SECONDS)
        if log and not log.begun:
            yield from log.noise

    def _submitters(self) -> Iterator[Manifest]:
        """Yield the submitters that were not read yet, the oldest first."""
        pods = self.api.list(
            "Pod", self.namespace, selector=f"batch.kubernetes.io/job-name={self.name}"
        )
        for pod in sorted(pods, key=lambda p: str(p["metadata"]["creationTimestamp"])):
            if pod["metadata"]["uid"] not in self.read:
                self.read.add(pod["metadata"]["uid"])
                yield pod

    def _of(self, pod: Manifest) -> Iterator[str]:
        name = pod["metadata"]["name"]
        stream = Stream(self.api, self.namespace, name, _CONTAINER, follow=self.follow)
        if not self.follow:
            yield from stream.lines()
            return
        quiet = 0
        with Streams() as streams:
            streams.add(name, stream.lines())
            while streams.running and quiet < _QUIET_TURNS:
                found = streams.next(_POLL_SECONDS)
                if found:
                    quiet = 0
                    yield found[1]
                # A submitter that hangs must not keep us once the job has ended.
                elif streams.running and self.ended():
                    quiet += 1


def _has_run(ray_job: Manifest | None) -> bool:
    """Tell whether a RayJob is over that a submitter gave to Ray."""
    status = (ray_job or {}).get("status") or {}
    return has_ended(ray_job) and bool(status.get("jobStatus"))


def _job_id(pod: Manifest) -> str:
    for container in pod["spec"]["containers"]:
        if container["name"] == _CONTAINER:
            for variable in container.get("env") or ():
                if variable["name"] == _JOB_ID:
                    return str(variable.get("value", ""))
    return ""
