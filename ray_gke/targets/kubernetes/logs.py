"""What the pods of a run have written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from ray_gke.catalog.nearest import suggestion
from ray_gke.errors import UsageError
from ray_gke.events import LogLine, Note
from ray_gke.planning.plan import HEAD
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import head, inventory
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.inventory import Inventory
from ray_gke.targets.kubernetes.job_output import job_output
from ray_gke.targets.kubernetes.job_states import has_ended
from ray_gke.targets.kubernetes.log_stream import Stream
from ray_gke.targets.kubernetes.ray_pods import NODE_TYPE, group_of
from ray_gke.targets.kubernetes.streams import Streams

__all__ = ["job_output", "logs"]

_LOOK_SECONDS = 2.0
_QUIET_SECONDS = 1.0
_HEAD = "head"


def logs(  # noqa: PLR0913 as the command has it
    api: Api,
    namespace: str,
    name: str,
    *,
    group: str | None = None,
    previous: bool = False,
    follow: bool = False,
) -> Iterator[LogLine | Note]:
    """Yield what the job of a run has written; without one, or of a `group`, its pods.

    The group of the head is `head`. With `previous` it is what containers wrote before
    they were last restarted. With `follow` it goes on until the run has ended. Raises
    UsageError when there is no such run or group.
    """
    run = head.find(api, namespace, name)
    _check(run, group)
    if run.kind == "job" and run.ray and group is None and not previous:
        ended = _Ended(api, run).now
        return job_output(api, name, run.ray, follow=follow, ended=ended)
    pods = _Pods(api, run, group, previous=previous)
    return pods.followed() if follow else pods.now()


def _check(run: Inventory, group: str | None) -> None:
    names = [_HEAD, HEAD, *(one.name for one in run.groups)]
    if group is not None and group not in names:
        names.remove(HEAD)
        raise UsageError(
            f"{run.name} has no group {group!r}: it has {', '.join(names)}",
            hint=suggestion(group, names),
        )


@dataclass
class _Ended:
    """Whether a run has ended, as the API has it at most two seconds ago."""

    api: Api
    run: Inventory
    _asked: float = 0.0
    _ended: bool = False

    def now(self) -> bool:
        now = time.monotonic()
        if not self._ended and (not self._asked or now > self._asked + _LOOK_SECONDS):
            self._asked = now
            ray = self.api.get(self.run.ray) if self.run.ray else None
            self._ended = ray is None or has_ended(ray)
        return self._ended


@dataclass
class _Pods:
    api: Api
    run: Inventory
    group: str | None
    previous: bool

    def now(self) -> Iterator[LogLine]:
        for pod in self._list():
            for source, stream in self._streams(pod, follow=False):
                for line in stream.lines():
                    yield LogLine(self.run.name, source, line)

    def followed(self) -> Iterator[LogLine]:
        ended = _Ended(self.api, self.run)
        followed: set[str] = set()
        looked = 0.0
        with Streams() as streams:
            while True:
                if not looked or time.monotonic() > looked + _LOOK_SECONDS:
                    looked = time.monotonic()
                    self._add(streams, followed)
                found = streams.next(_QUIET_SECONDS)
                if found:
                    yield LogLine(self.run.name, *found)
                elif ended.now():
                    return

    def _add(self, streams: Streams, followed: set[str]) -> None:
        for pod in self._list():
            if pod["metadata"]["uid"] not in followed:
                followed.add(pod["metadata"]["uid"])
                for source, stream in self._streams(pod, follow=True):
                    streams.add(source, stream.lines())

    def _list(self) -> list[Manifest]:
        """Return the pods, the head first."""
        selector = f"{inventory.selector(self.run.name)},{NODE_TYPE}"
        wanted = HEAD if self.group == _HEAD else self.group
        pods = [
            pod
            for pod in self.api.list("Pod", self.run.namespace, selector=selector)
            if wanted in {None, group_of(pod)}
        ]
        return sorted(
            pods,
            key=lambda p: (
                group_of(p) != HEAD,
                group_of(p),
                p["metadata"]["name"],
            ),
        )

    def _streams(self, pod: Manifest, *, follow: bool) -> Iterator[tuple[str, Stream]]:
        name = pod["metadata"]["name"]
        containers = [one["name"] for one in pod["spec"]["containers"]]
        for container in containers:
            source = f"{name}/{container}" if containers[1:] else name
            yield (
                source,
                Stream(
                    self.api,
                    self.run.namespace,
                    name,
                    container,
                    follow=follow and not self.previous,
                    previous=self.previous,
                ),
            )
