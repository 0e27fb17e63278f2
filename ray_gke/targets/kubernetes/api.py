"""The Kubernetes API as plain data: get, list, apply, delete, and streams of lines.

A request is sent again while the API server is busy, restarts or cannot be reached:
each of ours means the same when it arrives twice.
"""

from __future__ import annotations

import builtins
import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from ray_gke.errors import FailedError, RefusedError
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.client import Client, connect
from ray_gke.targets.kubernetes.resources import Ref, resource

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

T = TypeVar("T")
R = TypeVar("R")

FIELD_MANAGER = "ray-gke"
THREADS = 8

_TIMEOUT = (5.0, 30.0)
_STREAM_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 3.0
_PAGE = 500
_BUSY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
Query = Mapping[str, str]
_NOTHING: Query = {}


class ApiError(FailedError):
    """The API server said no; `code`, `reason` and `causes` are those of its Status."""

    def __init__(self, what: str, code: int, status: Mapping[str, Any]) -> None:
        """`what` was asked; `status` is the Status object that came back."""
        self.code = code
        self.reason = str(status.get("reason", ""))
        self.said = str(status.get("message") or f"HTTP {code}")
        details = status.get("details") or {}
        self.causes: tuple[Mapping[str, str], ...] = tuple(details.get("causes") or ())
        super().__init__(f"{what}: {self.said}")


class NotAllowedError(RefusedError):
    """The user of the context may not do this."""


class UnreachableError(FailedError):
    """The API server does not answer, for as long as we are patient."""


class StreamEnded(Exception):
    """A stream broke off; what it is about may still go on."""


@dataclass
class Api:
    """One cluster. `patience` is for how many seconds a request is tried again."""

    client: Client
    patience: float = 60.0
    _random: random.Random = field(default_factory=random.Random, repr=False)
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)

    @classmethod
    def of(cls, context: str | None) -> Api:
        """Return the API of a context of the kubeconfig; raises RefusedError."""
        return cls(connect(context))

    def get(self, ref: Ref) -> Manifest | None:
        """Return an object, or None when it does not exist."""
        found: Manifest | None = self.read(ref.path, what=f"get {ref}")
        return found

    def read(
        self,
        path: str,
        query: Query = _NOTHING,
        *,
        what: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return what a path answers, or None when there is nothing."""
        return self._json("GET", path, query, what=what, headers=headers)

    def list(
        self, kind: str, namespace: str = "", *, selector: str = "", fields: str = ""
    ) -> list[Manifest]:
        """Return the objects of a kind: none, where the cluster lacks the kind.

        `selector` is a label selector, `fields` a field selector.
        """
        query = {"limit": str(_PAGE)}
        query |= {"labelSelector": selector} if selector else {}
        query |= {"fieldSelector": fields} if fields else {}
        found: list[Manifest] = []
        path = resource(kind).path(namespace)
        while True:
            page = self._json("GET", path, query, what=f"list {resource(kind).plural}")
            if page is None:
                return found
            known = {"kind": kind, "apiVersion": resource(kind).api_version}
            found += [{**known, **one} for one in page["items"]]
            token = page["metadata"].get("continue")
            if not token:
                return found
            query["continue"] = token

    def apply(
        self, one: Manifest, *, force: bool = False, dry_run: bool = False
    ) -> Manifest:
        """Apply an object as the server does it, under our field manager.

        Fields that the server does not know are refused. Raises ApiError with code 409
        when another manager owns what we would change, unless `force`.
        """
        ref = Ref.of(one)
        query = {
            "fieldManager": FIELD_MANAGER,
            "fieldValidation": "Strict",
            "force": "true" if force else "false",
            **({"dryRun": "All"} if dry_run else {}),
        }
        kind = {"Content-Type": "application/apply-patch+yaml"}
        answer = self._json(
            "PATCH", ref.path, query, one, headers=kind, what=f"apply {ref}"
        )
        if answer is None:
            place = f"namespace {ref.namespace} or kind {ref.kind}"
            raise ApiError(f"apply {ref}", 404, {"message": f"{place} does not exist"})
        return dict(answer)

    def create(self, one: Manifest) -> Manifest:
        """Create an object; raises ApiError with code 409 when it is there."""
        ref = Ref.of(one)
        path = resource(ref.kind).path(ref.namespace)
        answer = self._json(
            "POST", path, {"fieldManager": FIELD_MANAGER}, one, what=f"create {ref}"
        )
        if answer is None:
            message = f"namespace {ref.namespace} does not exist"
            raise ApiError(f"create {ref}", 404, {"message": message})
        return dict(answer)

    def replace(self, one: Manifest) -> Manifest | None:
        """Write an object that was read before; None when it is gone.

        Raises ApiError with code 409 when somebody else has written it since.
        """
        ref = Ref.of(one)
        query = {"fieldManager": FIELD_MANAGER}
        found: Manifest | None = self._json(
            "PUT", ref.path, query, one, what=f"write {ref}"
        )
        return found

    def delete(self, ref: Ref, *, uid: str = "", foreground: bool = False) -> None:
        """Delete an object, if it is there and still the one with `uid`.

        With `foreground` it only goes once all that it owns has gone.
        """
        options: dict[str, Any] = {
            "propagationPolicy": "Foreground" if foreground else "Background"
        }
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            self._json("DELETE", ref.path, _NOTHING, options, what=f"delete {ref}")
        except ApiError as error:
            # Another object by now has the name: ours is gone.
            if error.code != HTTPStatus.CONFLICT:
                raise

    def ask(self, path: str, question: Manifest) -> Manifest:
        """Post a review, which the server answers and does not keep."""
        return dict(self._json("POST", path, _NOTHING, question, what="ask for access"))

    def lines(self, path: str, query: Query) -> Iterator[str]:
        """Yield the lines of a stream, without line ends; None of it is buffered.

        Raises StreamEnded when the stream breaks off, ApiError as the server says it.
        """
        from urllib3.exceptions import HTTPError

        try:
            response = self.client.request(
                "GET",
                path,
                query=tuple(query.items()),
                timeout=(_TIMEOUT[0], _STREAM_SECONDS),
            )
        except (HTTPError, OSError) as error:
            raise StreamEnded(str(error)) from None
        with response:
            if response.status in _BUSY:
                raise StreamEnded(f"HTTP {response.status}")
            if response.status != HTTPStatus.OK:
                raise self._error("read the log", response.status, _body(response))
            yield from _lines(response)

    def in_parallel(
        self, do: Callable[[T], R], values: Iterable[T]
    ) -> builtins.list[R]:
        """Return what `do` returns for each value, in their order; several at once.

        Ctrl-C, or the failure of one, ends what waits for the API server.
        """
        several = list(values)
        if len(several) < 2:  # noqa: PLR2004 nothing to be done at once
            return [do(value) for value in several]
        with ThreadPoolExecutor(min(THREADS, len(several))) as pool:
            results = [pool.submit(do, value) for value in several]
            try:
                return [result.result() for result in results]
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                self._stop.clear()
                raise

    def _json(  # noqa: PLR0913 as HTTP has it
        self,
        method: str,
        path: str,
        query: Query,
        content: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        what: str,
    ) -> Any:
        """Return the decoded answer, or None for 404."""
        body = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        status, answer = self._patiently(method, path, query, body, headers, what)
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status >= HTTPStatus.BAD_REQUEST:
            raise self._error(what, status, answer)
        return json.loads(answer) if answer else {}

    def _patiently(  # noqa: PLR0913, PLR0917 as HTTP has it
        self,
        method: str,
        path: str,
        query: Query,
        body: bytes | None,
        headers: Mapping[str, str],
        what: str,
    ) -> tuple[int, bytes]:
        from urllib3.exceptions import HTTPError

        until = time.monotonic() + self.patience
        pause = _FIRST_PAUSE
        while True:
            wait = 0.0
            try:
                with self.client.request(
                    method,
                    path,
                    query=tuple(query.items()),
                    body=body,
                    headers=headers,
                    timeout=_TIMEOUT,
                ) as response:
                    answer = response.read()
                    if response.status not in _BUSY:
                        return response.status, answer
                    wait = _retry_after(response)
                    last: Exception = self._error(what, response.status, answer)
            except (HTTPError, OSError) as error:
                last = self._unreachable(error)
            if time.monotonic() + max(pause, wait) > until:
                raise last
            # Many of us at once must not come back all at the same moment.
            if self._stop.wait(max(wait, pause * self._random.uniform(0.5, 1.0))):
                raise last
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _unreachable(self, error: Exception) -> UnreachableError:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        return UnreachableError(
            f"the API server of context {self.client.context} ({self.client.server}) "
            f"does not answer: {reason}",
            hint="check the network, or choose another with --context; "
            "then run the same command again: it goes on where it stopped",
        )

    def _error(self, what: str, code: int, answer: bytes) -> Exception:
        status = _status(answer)
        said = status.get("message", "")
        if code == HTTPStatus.UNAUTHORIZED:
            return NotAllowedError(
                f"the credentials of context {self.client.context} are not accepted",
                hint="log in again, or choose another with --context",
            )
        if code == HTTPStatus.FORBIDDEN and "is forbidden: User" in said:
            return NotAllowedError(
                f"{what}: {said}",
                hint="ask an administrator of the cluster for this permission",
            )
        return ApiError(what, code, status)


def _retry_after(response: BaseHTTPResponse) -> float:
    seconds = response.headers.get("Retry-After", "")
    return min(float(seconds), 30.0) if seconds.isdecimal() else 0.0


def _status(answer: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    text = answer.decode(errors="replace").strip()
    return found if isinstance(found, dict) else {"message": text[:500]}


def _body(response: BaseHTTPResponse) -> bytes:
    from urllib3.exceptions import HTTPError

    try:
        return response.read()
    except (HTTPError, OSError):
        return b""


def _lines(response: BaseHTTPResponse) -> Iterator[str]:
    from urllib3.exceptions import HTTPError

    rest = b""
    try:
        while chunk := response.read1(2**16):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")
    except (HTTPError, OSError) as error:
        # A line that was cut is read again, whole.
        raise StreamEnded(str(error)) from None
    if rest:
        yield rest.decode(errors="replace")
