"""A proxy before a registry that is only read: it counts, and does harm."""

from __future__ import annotations

import functools
import http.client
import http.server
import threading
from collections import Counter, defaultdict
from typing import Any

from tests.loopback_server import LoopbackServer

_BLOCK = 2**16


class ReadingProxy(LoopbackServer):
    """Passes on what is read; `host` stands for the registry's own.

    `times` tells how often each blob was asked for, `sent` how many bytes of it went
    out. After `ends_after` bytes of a blob the connection ends, once for each number;
    what is `held` stops in the middle until its event is set; the last byte of what is
    `damaged` is another.
    """

    def __init__(self, registry: str) -> None:
        self.registry = registry
        self.times: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.ends_after: dict[str, list[int]] = {}
        self.held: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self.damaged: set[str] = set()
        super().__init__(functools.partial(_Handler, self))

    def __exit__(self, *error: Any) -> None:  # noqa: PYI036 passed on
        for held in self.held.values():
            held.set()
        super().__exit__(*error)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, proxy: ReadingProxy, *arguments: Any) -> None:
        self.proxy = proxy
        super().__init__(*arguments)

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        connection = http.client.HTTPConnection(self.proxy.registry, timeout=60)
        connection.request(self.command, self.path, headers=dict(self.headers.items()))
        answer = connection.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "date", "server"}:
                self.send_header(name, value)
        self.end_headers()
        _, _, blob = self.path.partition("/blobs/")
        if self.command == "GET":
            self.proxy.times.update([blob] if blob else [])
            self._pass_on(blob, answer, int(answer.headers["Content-Length"]))
        connection.close()

    do_HEAD = do_GET  # noqa: N815 http.server's name

    def _pass_on(self, blob: str, answer: http.client.HTTPResponse, size: int) -> None:
        ends = self.proxy.ends_after.get(blob)
        last, passed = ends.pop(0) if ends else size, 0
        while passed < last and (block := answer.read(min(_BLOCK, last - passed))):
            if passed and blob in self.proxy.held:
                self.proxy.held[blob].wait(60)
            passed += len(block)
            if passed == size and blob in self.proxy.damaged:
                block = block[:-1] + bytes([block[-1] ^ 1])
            try:
                self.wfile.write(block)
            except OSError:
                break
            self.proxy.sent[blob] += len(block)
        self.close_connection = self.close_connection or passed < size
