"""The Kubernetes API as plain data: get, list, apply, delete, and streams of lines.

Each request of ours means the same when it arrives twice.
"""

from __future__ import annotations

import builtins
import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import parallel
from ray_gke.targets.kubernetes.api_errors import (
    ApiError,
    NotAllowedError,
    StreamEnded,
    UnreachableError,
    refusal,
)
from ray_gke.targets.kubernetes.client import Client, connect
from ray_gke.targets.kubernetes.exchange import (
    BUSY,
    CONNECT_SECONDS,
    Patience,
    Request,
    exchange,
)
from ray_gke.targets.kubernetes.resources import Ref, resource

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

__all__ = [
    "FIELD_MANAGER",
    "Api",
    "ApiError",
    "NotAllowedError",
    "StreamEnded",
    "UnreachableError",
]

T = TypeVar("T")
R = TypeVar("R")

FIELD_MANAGER = "ray-gke"

_STREAM_SECONDS = 60.0
_PAGE = 500
Query = Mapping[str, str]
_NOTHING: Query = {}


@dataclass
class Api:
    """One cluster. `patience` is for how many seconds a request is tried again.

    After `until`, on the monotonic clock, nothing is tried any more. `guard` is called
    before anything that writes is sent again, and raises when it must not be.
    """

    client: Client
    patience: float = 60.0
    until: float = math.inf
    guard: Callable[[], None] = lambda: None
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)

    @classmethod
    def of(cls, context: str | None) -> Api:
        """Return the API of a context of the kubeconfig; raises RefusedError."""
        return cls(connect(context))

    def within(self, seconds: float) -> Api:
        """Return the same cluster, asked for so long at most."""
        return replace(self, until=min(self.until, time.monotonic() + seconds))

    def at_least(self, seconds: float) -> Api:
        """Return the same cluster, asked for so long even when time is up."""
        return replace(self, until=max(self.until, time.monotonic() + seconds))

    def to_the_end(self, seconds: float) -> Api:
        """Return the same cluster for so long, whatever else fails or has ended."""
        until = time.monotonic() + seconds
        return replace(self, until=until, _stop=threading.Event())

    def guarded(self, guard: Callable[[], None]) -> Api:
        """Return the same cluster, for somebody who may have to stop writing."""
        return replace(self, guard=guard)

    def wait(self, seconds: float) -> bool:
        """Wait; tell whether to wait no longer: we stop, or time is up."""
        return self._stop.wait(seconds) or time.monotonic() > self.until

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
                timeout=(CONNECT_SECONDS, _STREAM_SECONDS),
            )
        except (HTTPError, OSError) as error:
            raise StreamEnded(str(error)) from None
        with response:
            if response.status in BUSY:
                raise StreamEnded(f"HTTP {response.status}")
            if response.status == HTTPStatus.NO_CONTENT:
                # The pod is on no node yet (LogLocation in pod/strategy.go).
                return
            if response.status != HTTPStatus.OK:
                raise refusal(
                    self.client, "read the log", response.status, _body(response)
                )
            yield from _lines(response)

    def in_parallel(
        self, do: Callable[[T], R], values: Iterable[T]
    ) -> builtins.list[R]:
        """Return what `do` returns for each value, in their order; several at once.

        Ctrl-C, or the failure of one, ends what waits for the API server.
        """
        return parallel.in_parallel(do, values, self._stop)

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
        request = Request(
            method,
            path,
            what,
            query,
            None if content is None else json.dumps(content).encode(),
            {"Content-Type": "application/json", **(headers or {})},
        )
        patience = Patience(self.patience, self.until, self._stop, self.guard)
        status, answer = exchange(self.client, request, patience)
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status >= HTTPStatus.BAD_REQUEST:
            raise refusal(self.client, what, status, answer)
        return answer


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
