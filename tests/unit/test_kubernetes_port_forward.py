"""Ports of this machine that lead to a pod: nothing lost, nothing left behind."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_gke.errors import RefusedError
from ray_gke.targets.kubernetes import tunnel
from ray_gke.targets.kubernetes.port_forward import forward

BIG = b"0123456789abcdef" * (20 * 2**16)


def server_frame(content: bytes, kind: int = 2) -> bytes:
    size = len(content)
    if size < 126:
        return struct.pack("!BB", 0x80 | kind, size) + content
    if size < 2**16:
        return struct.pack("!BBH", 0x80 | kind, 126, size) + content
    return struct.pack("!BBQ", 0x80 | kind, 127, size) + content


def client_frame(file: Any) -> tuple[int, bytes]:
    """The next frame that a client sent, unmasked as the standard says."""
    first, second = file.read(1), file.read(1)
    if not second:
        raise EOFError
    size = second[0] & 0x7F
    if size > 125:
        size = int.from_bytes(file.read(2 if size == 126 else 8), "big")
    mask = file.read(4)
    content = bytes(b ^ mask[i % 4] for i, b in enumerate(file.read(size)))
    return first[0] & 0x0F, content


@dataclass
class Pods:
    """Stands for the API server and its nodes: a pod's name is a port of ours."""

    broken: str = ""
    opened: int = 0
    pongs: list[bytes] = field(default_factory=list)

    def forwarded(self, namespace: str, pod: str, port: int) -> socket.socket:
        assert (namespace, port) == ("space", 8265)
        ours, theirs = socket.socketpair()
        self.opened += 1
        threading.Thread(target=self._serve, args=(theirs, pod)).start()
        return ours

    def _serve(self, theirs: socket.socket, pod: str) -> None:
        for channel in (b"\0", b"\1"):
            theirs.sendall(server_frame(channel + struct.pack("<H", 8265)))
        if self.broken:
            with theirs:
                theirs.sendall(server_frame(b"\1" + self.broken.encode()))
            return
        there = socket.create_connection(("127.0.0.1", int(pod)))
        back = threading.Thread(target=self._back, args=(there, theirs))
        back.start()
        with theirs.makefile("rb") as file, suppress(EOFError, OSError):
            while True:
                kind, content = client_frame(file)
                if kind == 10:
                    self.pongs.append(content)
                elif content:
                    there.sendall(content[1:])
        with suppress(OSError):
            there.shutdown(socket.SHUT_RDWR)
        back.join()
        there.close()
        theirs.close()

    @staticmethod
    def _back(there: socket.socket, theirs: socket.socket) -> None:
        with suppress(OSError):
            theirs.sendall(server_frame(b"are you there", 9))
            while data := there.recv(2**16):
                theirs.sendall(server_frame(b"\0" + data))
            theirs.sendall(server_frame(b"", 8))
            theirs.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        content = BIG if self.path == "/big" else self.path.encode()
        self.send_response(200)
        if self.path == "/big":
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        got = len(self.rfile.read(size))
        self.send_response(200)
        self.send_header("Content-Length", str(len(str(got))))
        self.end_headers()
        self.wfile.write(str(got).encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def tcp_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server whose every connection is given to `answer`; its name as a pod."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        answer(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield str(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def web() -> Iterator[str]:
    """An HTTP server; its name as a pod."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield str(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def pods() -> Iterator[Pods]:
    before = threading.active_count()
    yield Pods()
    deadline = time.monotonic() + 10
    while threading.active_count() > before:
        assert time.monotonic() < deadline, f"left: {threading.enumerate()}"
        time.sleep(0.01)


def forwarding(pods: Pods, pod: Callable[[], str], local: int = 0) -> Any:
    api: Any = SimpleNamespace(client=pods)
    return forward(api, "space", pod, 8265, local)


def get(connection: HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read()


def test_a_connection_that_is_kept_serves_many_requests(web: str, pods: Pods) -> None:
    with forwarding(pods, lambda: web) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        assert [get(connection, f"/{n}") for n in range(20)] == [
            f"/{n}".encode() for n in range(20)
        ]
        connection.close()
    assert pods.opened == 1
    assert pods.pongs == [b"are you there"]


def test_a_large_answer_that_ends_with_the_connection_is_whole(
    web: str, pods: Pods
) -> None:
    with forwarding(pods, lambda: web) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        assert get(connection, "/big") == BIG
        connection.close()


def test_a_large_request_arrives_whole(web: str, pods: Pods) -> None:
    with forwarding(pods, lambda: web) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/", body=b"x" * (3 * 2**20))
        assert connection.getresponse().read() == str(3 * 2**20).encode()
        connection.close()


def test_many_connections_at_once(web: str, pods: Pods) -> None:
    def ask(number: int) -> bytes:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            return get(connection, f"/{number}")
        finally:
            connection.close()

    with forwarding(pods, lambda: web) as port, ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(ask, range(200)))
    assert answers == [f"/{n}".encode() for n in range(200)]


def test_a_client_that_has_sent_all_still_gets_its_answer(pods: Pods) -> None:
    def answer(connection: socket.socket) -> None:
        assert connection.recv(100) == b"question"
        time.sleep(0.2)
        connection.sendall(b"answer")

    with (
        tcp_server(answer) as pod,
        forwarding(pods, lambda: pod) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"answer"
        assert client.recv(100) == b""


def test_an_answer_before_all_was_sent_is_not_lost(pods: Pods) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"too large")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(2**16):
            pass

    with (
        tcp_server(answer) as pod,
        forwarding(pods, lambda: pod) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        with suppress(OSError):
            client.sendall(b"x" * 2**20)
        assert client.recv(100) == b"too large"
        assert client.recv(100) == b""


def test_a_pod_that_is_looked_up_anew_may_have_been_replaced(
    web: str, pods: Pods
) -> None:
    names = ["", web]

    def pod() -> str:
        if not names[0]:
            names.pop(0)
            raise RefusedError("the head is not ready")
        return names[0]

    with forwarding(pods, pod) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            assert client.recv(1) == b""
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        assert get(connection, "/again") == b"/again"
        connection.close()


def test_a_port_where_nothing_listens_closes_the_connection(pods: Pods) -> None:
    pods.broken = "connection refused"
    # It may be reset before whoever connects has looked.
    with (
        forwarding(pods, lambda: "1") as port,
        pytest.raises(ConnectionResetError),
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        client.recv(1)


def test_an_answer_that_was_cut_is_a_reset_and_not_an_end(pods: Pods) -> None:
    ours, theirs = socket.socketpair()

    cut: Any = SimpleNamespace(forwarded=lambda *_: ours)
    with (
        forwarding(cut, lambda: "1") as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        theirs.sendall(server_frame(b"\0AA") + server_frame(b"\0half"))
        assert client.recv(100) == b"half"
        theirs.close()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_leaving_ends_connections_that_are_open(web: str, pods: Pods) -> None:
    with forwarding(pods, lambda: web) as port:
        client = socket.create_connection(("127.0.0.1", port), timeout=10)
        client.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    with suppress(ConnectionResetError):
        while client.recv(100):
            pass
    client.close()


def test_a_port_that_somebody_has_is_refused(pods: Pods) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(RefusedError, match=f"port {port} of this machine"),
            forwarding(pods, lambda: "1", port),
        ):
            pytest.fail("it was taken")


@given(st.lists(st.binary(max_size=300), max_size=5), st.data())
def test_frames_are_found_wherever_the_stream_is_cut(
    contents: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(map(server_frame, contents))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6))
    frames = tunnel.Frames()
    found = []
    begin = 0
    for end in [*sorted(cuts), len(stream)]:
        found += [content for _, content in frames.feed(stream[begin:end])]
        begin = end
    assert found == contents


@pytest.mark.parametrize("size", [0, 1, 125, 126, 2**16 - 1, 2**16, 2**16 + 7])
def test_a_frame_is_what_the_standard_says(size: int) -> None:
    import io

    content = bytes(n % 251 for n in range(size))
    assert client_frame(io.BytesIO(tunnel.frame(content))) == (2, content)
