"""A proxy in front of the API server whose answers a test may replace.

It speaks TLS with the API server's own certificate, so that a kubeconfig that names it
differs in nothing but the port. Tokens pass through; client certificates do not.
Upgraded connections (exec, port-forward) are not forwarded.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_CHUNK = 65536
# What concerns one connection only.
_HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding"}
_CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Request:
    """What a client asked for; `path` includes the query."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the client gets instead of the API server's answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class ConnectionCut(Exception):
    """Raised by a hook: the client's connection is reset without an answer."""


Hook = Callable[[Request], Answer | None]
"""Returns an answer of its own, or None to forward the request."""


class ApiProxy:
    """Listens on a free port of `address` and forwards to `upstream`."""

    def __init__(
        self,
        upstream: str,
        *,
        ca: Path,
        certificate: tuple[Path, Path],
        hook: Hook,
        address: str = "127.0.0.1",
    ) -> None:
        """Bind the port; requests are answered from `start()` on."""
        target = urlsplit(upstream)
        assert target.hostname
        self.upstream = (target.hostname, target.port or 443)
        self.trusted = ssl.create_default_context(cafile=ca)
        self.hook = hook
        self._server = _Server((address, 0), _Handler)
        self._server.proxy = self
        self._server.tls.load_cert_chain(*certificate)
        self.url = f"https://{address}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="api-proxy", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Cut all connections and give the port back."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.cut_all()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    proxy: ApiProxy

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        # The handshake happens in the thread of the connection, at its first read.
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wrapped = self.tls.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        self._open.add(wrapped)
        return wrapped, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client or the API server has gone, which tests do often."""

    def cut_all(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    _upstream: http.client.HTTPSConnection | None = None

    def finish(self) -> None:
        if self._upstream:
            self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        request = Request(self.command, self.path, self.headers, body)
        try:
            answer = self.server.proxy.hook(request)
            if answer is None:
                self._forward(request)
            else:
                self._send(answer)
        except (ConnectionCut, OSError, http.client.HTTPException):
            self._reset()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _forward(self, request: Request) -> None:
        response = self._ask(request)
        self.send_response_only(response.status, response.reason)
        for name, value in _end_to_end(response.getheaders()):
            self.send_header(name, value)
        whole = response.length is not None
        if not whole:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        # A watch comes in pieces, and each must leave at once.
        while piece := response.read1(_CHUNK):
            self.wfile.write(piece if whole else b"%x\r\n%b\r\n" % (len(piece), piece))
        if not whole:
            self.wfile.write(b"0\r\n\r\n")
        # Or the next request over this connection would have no answer.
        response.close()

    def _ask(self, request: Request) -> http.client.HTTPResponse:
        """Return the API server's response, over a connection that is kept.

        The API server may have closed one that lay idle. What writes is never sent
        twice, that is for the client to decide: it has a connection that is fresh.
        """
        if self._upstream and request.method == "GET":
            with contextlib.suppress(OSError, http.client.RemoteDisconnected):
                return _exchange(self._upstream, request)
        if self._upstream:
            self._upstream.close()
        return _exchange(self._connected(), request)

    def _connected(self) -> http.client.HTTPSConnection:
        proxy = self.server.proxy
        connection = http.client.HTTPSConnection(
            *proxy.upstream, timeout=_CONNECT_SECONDS, context=proxy.trusted
        )
        connection.connect()
        # A watch may be silent for as long as it likes.
        connection.sock.settimeout(None)
        self._upstream = connection
        return connection

    def _reset(self) -> None:
        """Close so that the client sees a reset, not the end of an answer."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            os.close(self.connection.detach())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def _exchange(
    connection: http.client.HTTPSConnection, request: Request
) -> http.client.HTTPResponse:
    headers = dict(_end_to_end(request.headers.items()))
    connection.request(request.method, request.path, request.body or None, headers)
    return connection.getresponse()


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(n, v) for n, v in headers if n.lower() not in _HOP_BY_HOP]
