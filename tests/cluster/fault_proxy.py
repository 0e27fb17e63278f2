"""A proxy in front of the API server that does to requests what bad days do.

What happens to a request follows from the seed, its method and path, and how often the
same was asked before: two runs that ask the same meet the same.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Self

from tests.cluster import kubeconfig
from tests.cluster.api_proxy import (
    _HOP_BY_HOP,
    Answer,
    ApiProxy,
    ConnectionCut,
    Request,
    _exchange,
    _Handler,
)
from tests.cluster.bed import Bed

Fault = Literal[
    "busy",
    "busy for a second",
    "broken",
    "unavailable",
    "timed out before",
    "timed out after",
    "reset before",
    "reset after",
    "cut",
    "cut silently",
    "slow",
]
"""`before` and `after` the API server has done what was asked.

`cut` ends an answer or a stream in the middle with a reset, `cut silently` makes a
shorter one of it.
"""

EVEN: Mapping[Fault, int] = {
    "busy": 3,
    "busy for a second": 1,
    "broken": 3,
    "unavailable": 3,
    "timed out before": 2,
    "timed out after": 3,
    "reset before": 3,
    "reset after": 4,
    "cut": 3,
    "cut silently": 3,
    "slow": 2,
}
"""How often each fault comes, among all."""

_SLOW_SECONDS = 0.3
_ANSWERED: Mapping[str, tuple[int, str]] = {
    "busy": (429, "TooManyRequests"),
    "busy for a second": (429, "TooManyRequests"),
    "broken": (500, "InternalError"),
    "unavailable": (503, "ServiceUnavailable"),
    "timed out before": (504, "Timeout"),
    "timed out after": (504, "Timeout"),
}


class FaultProxy:
    """Does something wrong to `rate` of all requests: 0.2 is one in five.

    `before` is called with each request and its number, from one on; what it returns
    happens to the request. `after` is called when the API server has done what was
    asked and whoever asked will not hear of it.
    """

    def __init__(
        self,
        cluster: Bed,
        folder: Path,
        *,
        seed: int = 0,
        rate: float = 0.0,
        faults: Mapping[Fault, int] = EVEN,
    ) -> None:
        """Bind a port; `kubeconfig` leads there."""
        self.seed = seed
        self.rate = rate
        self.faults = faults
        self.done: Counter[str] = Counter()
        """How often each fault has happened."""
        self.before: Callable[[int, Request], Fault | None] = lambda *_: None
        self.after: Callable[[int, Request], None] = lambda *_: None
        self.requests = 0
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._proxy = _Proxy(self, cluster)
        folder.mkdir(parents=True, exist_ok=True)
        self.kubeconfig = kubeconfig.write(
            folder / f"faults-{seed}.kubeconfig",
            url=self._proxy.url,
            ca=cluster.control_plane.ca,
            token=cluster.control_plane.token,
        )

    def __enter__(self) -> Self:
        self._proxy.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.stop()

    def asked(self, method: str, part: str) -> int:
        """Return how often was asked with a method, and a path that ends in `part`."""
        with self._lock:
            return sum(
                number
                for (verb, path), number in self._asked.items()
                if verb == method and path.partition("?")[0].endswith(part)
            )

    def next(self, request: Request) -> tuple[int, Fault | None]:
        """Return the number of a request, and what happens to it."""
        with self._lock:
            self.requests += 1
            number = self.requests
            key = (request.method, request.path)
            self._asked[key] += 1
            drawn = self._drawn(key)
        return number, self.before(number, request) or drawn

    def _drawn(self, key: tuple[str, str]) -> Fault | None:
        method, path = key
        chance = random.Random(f"{self.seed} {method} {path} {self._asked[key]}")
        if chance.random() >= self.rate:
            return None
        (chosen,) = chance.choices([*self.faults], [*self.faults.values()])
        self.done[chosen] += 1
        return chosen


class _Proxy(ApiProxy):
    def __init__(self, faults: FaultProxy, cluster: Bed) -> None:
        super().__init__(
            cluster.url,
            ca=cluster.control_plane.ca,
            certificate=cluster.control_plane.certificate,
            hook=lambda _: None,
        )
        self.faults = faults
        self._server.RequestHandlerClass = _FaultyHandler


class _FaultyHandler(_Handler):
    @property
    def _faults(self) -> FaultProxy:
        proxy = self.server.proxy
        assert isinstance(proxy, _Proxy)
        return proxy.faults

    def _forward(self, request: Request) -> None:
        number, fault = self._faults.next(request)
        match fault:
            case None:
                super()._forward(request)
            case "slow":
                time.sleep(_SLOW_SECONDS)
                super()._forward(request)
            case "reset before":
                raise ConnectionCut
            case "reset after":
                self._swallow(request)
                self._faults.after(number, request)
                raise ConnectionCut
            case "timed out after":
                self._swallow(request)
                self._send(_answer(fault))
            case "cut" | "cut silently":
                self._forward_half(request, silently=fault == "cut silently")
            case _:
                self._send(_answer(fault))

    def _swallow(self, request: Request) -> tuple[http.client.HTTPResponse, bytes]:
        """Let the API server do it, and return what it said."""
        if self._upstream:
            self._upstream.close()
        connection = self._connected()
        try:
            response = _exchange(connection, request)
            # A stream would go on.
            body = response.read() if response.length is not None else b""
            return response, body or response.read1()
        finally:
            connection.close()
            self._upstream = None

    def _forward_half(self, request: Request, *, silently: bool) -> None:
        response, body = self._swallow(request)
        half = body[: len(body) // 2]
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in {*_HOP_BY_HOP, "content-length"}:
                self.send_header(name, value)
        told = half if silently else body
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(half)
        if not silently:
            raise ConnectionCut


def _answer(fault: str) -> Answer:
    code, reason = _ANSWERED[fault]
    said = f'{{"kind":"Status","code":{code},"reason":"{reason}","message":"a fault"}}'
    later = (("Retry-After", "1"),) if fault == "busy for a second" else ()
    return Answer(code, said.encode(), headers=later)
