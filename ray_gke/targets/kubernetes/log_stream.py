"""The log of one container, each line once, however often the stream of it breaks."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api, ApiError, StreamEnded
from ray_gke.targets.kubernetes.resources import Ref

# The API cuts the time to read from to whole seconds, and the two streams of a
# container are written side by side, so their times may be out of order.
_MARGIN = timedelta(seconds=1)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
_OVER = ("Succeeded", "Failed")


@dataclass
class Stream:
    """The log of a container of a pod.

    With `follow` it goes on until the container has ended for good or the pod is gone;
    `previous` is the log of the container before its last restart.
    """

    api: Api
    namespace: str
    pod: str
    container: str
    follow: bool = True
    previous: bool = False
    _seen: Seen = field(default_factory=lambda: Seen())  # noqa: PLW0108 defined below
    _restarts: int = 0

    def lines(self) -> Iterator[str]:
        """Yield each line, as soon as it is there when following.

        Raises StreamEnded when the log of an earlier time cannot be read for as long as
        `api` is patient.
        """
        pause = _FIRST_PAUSE
        until = time.monotonic() + self.api.patience
        while True:
            state = _State.of(self._get_pod(), self.container)
            try:
                for line in self._new(state):
                    pause = _FIRST_PAUSE
                    yield line
                if not self.follow or state.over:
                    return
            except StreamEnded:
                if state.gone:
                    return
                if not self.follow and time.monotonic() > until:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _new(self, state: _State) -> Iterator[str]:
        if state.restarts > self._restarts and self._seen.newest:
            # What it wrote before it was restarted, after our stream had broken.
            yield from self._read(follow=False, previous=True)
        self._restarts = state.restarts
        yield from self._read(follow=self.follow, previous=self.previous)

    def _read(self, *, follow: bool, previous: bool) -> Iterator[str]:
        query = {
            "container": self.container,
            "timestamps": "true",
            "follow": "true" if follow else "false",
            "previous": "true" if previous else "false",
            **self._seen.query(),
        }
        path = Ref("Pod", self.namespace, self.pod).path + "/log"
        reading = _Reading(self._seen)
        try:
            for stamped in self.api.lines(path, query):
                line = reading.new(stamped)
                if line is not None:
                    yield line
        except ApiError as error:
            # Not begun yet, no earlier one, or gone: there are no lines.
            if error.code not in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
                raise

    def _get_pod(self) -> Manifest | None:
        return self.api.get(Ref("Pod", self.namespace, self.pod)) if self.follow else {}


@dataclass(frozen=True)
class _State:
    """Whether anything may still be written; it is asked before the log is read."""

    gone: bool = False
    over: bool = False
    restarts: int = 0

    @classmethod
    def of(cls, pod: Manifest | None, container: str) -> _State:
        if pod is None:
            return cls(gone=True, over=True)
        status = pod.get("status") or {}
        found: Mapping[str, Any] = next(
            (
                one
                for one in status.get("containerStatuses") or ()
                if one["name"] == container
            ),
            {},
        )
        ended = "terminated" in (found.get("state") or {})
        for_good = (pod.get("spec") or {}).get("restartPolicy") == "Never"
        return cls(
            over=(ended and for_good) or status.get("phase") in _OVER,
            restarts=found.get("restartCount", 0),
        )


@dataclass
class Seen:
    """The newest lines that were read, to know them when they are read again."""

    newest: datetime | None = None
    recent: deque[tuple[datetime, str]] = field(default_factory=deque)

    def query(self) -> dict[str, str]:
        """Return from when on the log has to be read."""
        if self.newest is None:
            return {}
        return {"sinceTime": self._since().strftime("%Y-%m-%dT%H:%M:%SZ")}

    def add(self, at: datetime, stamped: str) -> None:
        """Remember a line, and forget those that will not come again."""
        self.newest = max(at, self.newest) if self.newest else at
        self.recent.append((at, stamped))
        since = self._since()
        while self.recent[0][0] < since:
            self.recent.popleft()

    def _since(self) -> datetime:
        assert self.newest
        return self.newest.astimezone(UTC).replace(microsecond=0) - _MARGIN


class _Reading:
    """One time that the log is read, from `seen.query` on."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._again = Counter(line for _, line in seen.recent)
        # The first line may be the end of a long one that began before that time.
        self._maybe_cut = bool(self._again)

    def new(self, stamped: str) -> str | None:
        """Return a line without its time, or None when it was read before.

        What has no time is not the container's: the node says that it has no log.
        """
        stamp, _, text = stamped.partition(" ")
        try:
            at = datetime.fromisoformat(stamp)
        except ValueError:
            return None
        maybe_cut, self._maybe_cut = self._maybe_cut, False
        if self._again[stamped] > 0:
            self._again[stamped] -= 1
            return None
        newest = self._seen.newest
        if maybe_cut and newest and at < newest - _MARGIN:
            return None
        self._seen.add(at, stamped)
        return text.removesuffix("\r")
