"""One request to the API server, sent again until its answer means something.

It is sent again while the API server is busy, restarts or cannot be reached, and when
its answer is lost or cut off: so each must mean the same when it arrives twice.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ray_gke.errors import RayGkeError
from ray_gke.targets.kubernetes.api_errors import refusal, unreachable
from ray_gke.targets.kubernetes.client import Client

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

BUSY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
CONNECT_SECONDS = 5.0

_READ_SECONDS = 30.0
_LEAST_SECONDS = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 3.0
_MOST_RETRY_AFTER = 30.0


@dataclass(frozen=True)
class Request:
    """What is asked; `what` says it in words."""

    method: str
    path: str
    what: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Patience:
    """For how many seconds a request is tried again, and not after `until`.

    `until` is on the monotonic clock. `stop` ends all waiting, and `guard`, called
    before something that writes is sent again, raises when it must not be.
    """

    seconds: float
    until: float = math.inf
    stop: threading.Event = field(default_factory=threading.Event)
    guard: Callable[[], None] = lambda: None


def exchange(client: Client, request: Request, patience: Patience) -> tuple[int, Any]:
    """Return status and document of the answer, or its bytes when it is no success.

    Raises UnreachableError, or ApiError of the last answer, when patience ends.
    """
    until = min(time.monotonic() + patience.seconds, patience.until)
    pause = _FIRST_PAUSE
    while True:
        answer = _once(client, request, until)
        if answer.trouble is None:
            return answer.status, answer.content
        # Many of us at once must not come back all at the same moment.
        wait = max(answer.retry_after, pause * random.uniform(0.5, 1.0))  # noqa: S311
        if time.monotonic() + wait > until or patience.stop.wait(wait):
            raise answer.trouble
        pause = min(pause * 2, _LONGEST_PAUSE)
        if request.method != "GET":
            patience.guard()


@dataclass(frozen=True)
class _Answer:
    """What came back; with `trouble` it is none."""

    status: int = 0
    content: Any = None
    trouble: RayGkeError | None = None
    retry_after: float = 0.0


def _once(client: Client, request: Request, until: float) -> _Answer:
    from urllib3.exceptions import HTTPError

    left = max(_LEAST_SECONDS, until - time.monotonic())
    try:
        with client.request(
            request.method,
            request.path,
            query=tuple(request.query.items()),
            body=request.body,
            headers=request.headers,
            timeout=(min(CONNECT_SECONDS, left), min(_READ_SECONDS, left)),
        ) as response:
            return _read(client, request, response)
    except (HTTPError, OSError) as error:
        return _Answer(trouble=unreachable(client, error))


def _read(client: Client, request: Request, response: BaseHTTPResponse) -> _Answer:
    content, status = response.read(), response.status
    if status in BUSY:
        trouble = refusal(client, request.what, status, content)
        return _Answer(trouble=trouble, retry_after=_retry_after(response))
    if status >= HTTPStatus.BAD_REQUEST:
        return _Answer(status, content)
    try:
        return _Answer(status, json.loads(content) if content else {})
    except ValueError:
        if "json" not in response.headers.get("Content-Type", ""):
            raise
        # Something between us and the API server has cut it, and said nothing.
        return _Answer(trouble=unreachable(client, "its answers are cut off"))


def _retry_after(response: BaseHTTPResponse) -> float:
    seconds = response.headers.get("Retry-After", "")
    return min(float(seconds), _MOST_RETRY_AFTER) if seconds.isdecimal() else 0.0
