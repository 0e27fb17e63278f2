"""A connection to a port of a pod, as the API server passes it on: websocket frames.

The first byte of a frame's content is its channel: 0 has the data, 1 says what went
wrong. The protocol cannot say that one side has sent all: it is open both ways, or
closed. Kubernetes' own PortForward closes at the first end, and then loses what has
come but was not yet passed on.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10
_LENGTH_16, _LENGTH_64 = 126, 127
_FIN, _MASKED = 0x80, 0x80
_CHUNK = 2**16
_MOST_WAITING = 2**20
_HALF_OPEN_SECONDS = 30.0
_LINGER_SECONDS = 2.0
_RESET = struct.pack("ii", 1, 0)


def frame(content: bytes, kind: int = _BINARY) -> bytes:
    """Return a frame as a client sends it."""
    size = len(content)
    if size < _LENGTH_16:
        head = struct.pack("!BB", _FIN | kind, _MASKED | size)
    elif size < 2**16:
        head = struct.pack("!BBH", _FIN | kind, _MASKED | _LENGTH_16, size)
    else:
        head = struct.pack("!BBQ", _FIN | kind, _MASKED | _LENGTH_64, size)
    mask = os.urandom(4)
    return head + mask + _masked(content, mask)


def _masked(content: bytes, mask: bytes) -> bytes:
    size = len(content)
    repeated = (mask * (size // 4 + 1))[:size]
    mixed = int.from_bytes(content, "big") ^ int.from_bytes(repeated, "big")
    return mixed.to_bytes(size, "big")


@dataclass
class Frames:
    """The frames in a stream of bytes from a server."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield kind and content of each frame that is whole with `data`."""
        self._rest += data
        while (found := self._length()) and len(self._rest) >= sum(found):
            begin, size = found
            kind = self._rest[0] & 0x0F
            content = bytes(self._rest[begin : begin + size])
            del self._rest[: begin + size]
            yield kind, content

    def _length(self) -> tuple[int, int] | None:
        """Return the length of the first frame's head and of its content."""
        rest = self._rest
        if len(rest) < 2:  # noqa: PLR2004 bytes
            return None
        size = rest[1] & 0x7F
        more = {_LENGTH_16: 2, _LENGTH_64: 8}.get(size, 0)
        if len(rest) < 2 + more:
            return None
        return 2 + more, int.from_bytes(rest[2 : 2 + more], "big") if more else size


def pump(local: socket.socket, pod: socket.socket, stop: socket.socket) -> None:
    """Pass bytes both ways until one side has closed, and close both.

    It ends at once when `stop` becomes readable. What the pod has sent before it closed
    arrives; when it was not the pod that closed, the local side sees a reset.
    """
    with local, pod:
        local.setblocking(False)
        pod.setblocking(False)
        _Pump(local, pod, stop).run()


@dataclass
class _Pump:
    local: socket.socket
    pod: socket.socket
    stop: socket.socket
    to_local: bytearray = field(default_factory=bytearray)
    to_pod: bytearray = field(default_factory=bytearray)
    local_open: bool = True
    pod_open: bool = True
    pod_hears: bool = True
    begun: set[int] = field(default_factory=set)
    frames: Frames = field(default_factory=Frames)

    def run(self) -> None:
        """Pass on until one side has closed."""
        try:
            while self.pod_open or self.to_local:
                ready = self._wait()
                if ready is None:
                    return
                self._pass_on(ready)
            self._say_goodbye()
        except OSError:
            with suppress(OSError):
                self.local.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def _wait(self) -> dict[int, int] | None:
        """Return which sockets can do what, or None when it is time to end."""
        wanted = {self.stop.fileno(): select.POLLIN}
        if self.local_open and len(self.to_pod) < _MOST_WAITING:
            _want(wanted, self.local, select.POLLIN)
        if self.to_local:
            _want(wanted, self.local, select.POLLOUT)
        if self.pod_open and len(self.to_local) < _MOST_WAITING:
            _want(wanted, self.pod, select.POLLIN)
        if self.to_pod and self.pod_open:
            _want(wanted, self.pod, select.POLLOUT)
        poll = select.poll()
        for number, events in wanted.items():
            poll.register(number, events)
        ready = dict(poll.poll(None if self.local_open else _HALF_OPEN_SECONDS * 1000))
        # A client that has gone looks like one that has only sent all: it gets time.
        return None if self.stop.fileno() in ready or not ready else ready

    def _pass_on(self, ready: dict[int, int]) -> None:
        local, pod = (ready.get(s.fileno(), 0) for s in (self.local, self.pod))
        if pod & ~select.POLLOUT:
            self._from_pod()
        if local & ~select.POLLOUT and self.local_open:
            self._from_local()
        if self.to_local:
            _send(self.local, self.to_local)
        if self.to_pod and self.pod_open:
            try:
                _send(self.pod, self.to_pod)
            except (BrokenPipeError, ConnectionResetError):
                # It has closed, perhaps after an answer that is still to be read.
                self.pod_hears = False
                self.to_pod.clear()

    def _from_local(self) -> None:
        data = _received(self.local)
        if data == b"":
            self.local_open = False
        elif data and self.pod_hears:
            self.to_pod += frame(b"\0" + data)

    def _from_pod(self) -> None:
        # A TLS socket may hold data that poll does not see, so it is read to its end.
        while (data := _received(self.pod)) is not None:
            if data == b"":
                raise ConnectionResetError
            for kind, content in self.frames.feed(data):
                self._take(kind, content)
            if not self.pod_open:
                return

    def _take(self, kind: int, content: bytes) -> None:
        if kind == _CLOSE:
            self.pod_open = False
        elif kind == _PING:
            self.to_pod += frame(content, _PONG) if self.pod_hears else b""
        elif kind == _BINARY and content:
            channel = content[0]
            # On each channel the number of the port comes first.
            if channel not in self.begun:
                self.begun.add(channel)
            elif channel:
                raise ConnectionRefusedError(content[1:].decode(errors="replace"))
            else:
                self.to_local += content[1:]

    def _say_goodbye(self) -> None:
        """Let the client read all: closing with something unread would reset it."""
        self.local.shutdown(socket.SHUT_WR)
        until = time.monotonic() + _LINGER_SECONDS
        while self.local_open and (left := until - time.monotonic()) > 0:
            poll = select.poll()
            poll.register(self.local, select.POLLIN)
            poll.register(self.stop, select.POLLIN)
            ready = dict(poll.poll(left * 1000))
            if self.stop.fileno() in ready or _received(self.local) == b"":
                return


def _want(wanted: dict[int, int], which: socket.socket, event: int) -> None:
    wanted[which.fileno()] = wanted.get(which.fileno(), 0) | event


def _received(which: socket.socket) -> bytes | None:
    """Return what has come, nothing at its end, None while there is nothing yet."""
    try:
        return which.recv(_CHUNK)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None


def _send(which: socket.socket, data: bytearray) -> None:
    with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        del data[: which.send(data[:_MOST_WAITING])]
