"""The log of a job as Ray's job API streams it, each line once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ray_gke.errors import FailedError
from ray_gke.targets.ray_api import (
    TERMINAL,
    Dashboard,
    DashboardError,
    DashboardSilent,
)

if TYPE_CHECKING:
    from websocket import WebSocket

Tell = Callable[[Iterable[str]], None]

_CONNECT_SECONDS = 15
_STATUS_SECONDS = 1.0
SILENCE_SECONDS = 60
_LAST_TRIES = 5


def follow(dashboard: Dashboard, job_id: str, tell: Tell) -> Mapping[str, Any]:
    """Tell every line of the job's log, and return what Ray says of its end.

    The end of the log says nothing: a stream may break while the job goes on. Raises
    FailedError when Ray does not answer any more.
    """
    return _Follower(dashboard, job_id, tell).follow()


@dataclass
class _Follower:
    dashboard: Dashboard
    job_id: str
    tell: Tell
    _ended: Mapping[str, Any] | None = None
    _asked: float = 0.0
    _heard: float = field(default_factory=time.monotonic)
    # Ray gives the log from its beginning each time, so this is how much to skip.
    _read: int = 0
    _rest: str = ""

    def follow(self) -> Mapping[str, Any]:
        while self._ended is None:
            self._stream()
            self._ask()
            if time.monotonic() - self._heard > SILENCE_SECONDS:
                raise FailedError("Ray's job API does not answer any more")
            if self._ended is None:
                time.sleep(_STATUS_SECONDS)
        self._remainder()
        return self._ended

    def _stream(self) -> None:
        """Read the log until the stream breaks or the job has ended."""
        import websocket

        try:
            stream = websocket.create_connection(
                f"ws://{self.dashboard.address}/api/jobs/{self.job_id}/logs/tail",
                header=self.dashboard.headers,
                timeout=_CONNECT_SECONDS,
            )
        except (websocket.WebSocketException, OSError):
            return
        try:
            stream.settimeout(_STATUS_SECONDS)
            with suppress(websocket.WebSocketException, OSError):
                self._texts(stream)
        finally:
            stream.close(timeout=_STATUS_SECONDS)

    def _texts(self, stream: WebSocket) -> None:
        from websocket import WebSocketTimeoutException

        position = 0
        while self._ended is None:
            try:
                text = stream.recv()
            except WebSocketTimeoutException:
                self._ask()
                continue
            if not text:
                return
            text = str(text)
            self._take(text, position)
            position += len(text)
            if time.monotonic() - self._asked > _STATUS_SECONDS:
                self._ask()

    def _take(self, text: str, position: int) -> None:
        """Tell the lines in that part of `text` that was not read before."""
        new = text[max(0, self._read - position) :]
        self._read = max(self._read, position + len(text))
        *lines, self._rest = (self._rest + new).split("\n")
        self.tell(lines)

    def _ask(self) -> None:
        found = self.dashboard.job(self.job_id)
        self._asked = time.monotonic()
        if found:
            self._heard = self._asked
            self._ended = found if found["status"] in TERMINAL else None

    def _remainder(self) -> None:
        """Tell what the stream has not brought before the job ended."""
        for _ in range(_LAST_TRIES):
            with suppress(DashboardError, DashboardSilent):
                found = self.dashboard.get(f"/api/jobs/{self.job_id}/logs")
                self._take(found["logs"], 0)
                break
            time.sleep(_STATUS_SECONDS)
        if self._rest:
            self.tell([self._rest])
