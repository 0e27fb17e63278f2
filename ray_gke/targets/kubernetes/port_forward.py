"""A port of this machine that leads to a port of a pod."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ray_gke.errors import RayGkeError, RefusedError
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.tunnel import pump

_HOST = "127.0.0.1"
_BACKLOG = 128
_END_SECONDS = 2.0


@contextmanager
def forward(
    api: Api,
    namespace: str,
    pod_of: Callable[[], str],
    port: int,
    local_port: int = 0,
) -> Iterator[int]:
    """Give a port of 127.0.0.1 whose connections end at `port` of a pod.

    `pod_of` is asked for each connection, so a pod may be replaced meanwhile; while it
    raises one of our errors, connections are closed. Without `local_port` a free one is
    taken; raises RefusedError when somebody else has it.
    """
    listener = _listen(local_port)
    ours, theirs = socket.socketpair()
    server = _Server(api, namespace, pod_of, port, listener, theirs)
    accepting = threading.Thread(target=server.accept, daemon=True)
    with listener, theirs:
        accepting.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            # Whoever waits for the other end of the pair now sees that it is over.
            ours.close()
            server.join(accepting)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port), backlog=_BACKLOG)
    except OSError as error:
        raise RefusedError(
            f"port {port} of this machine cannot be used: {error.strerror}",
            hint="end what uses it, or take another",
        ) from None


@dataclass
class _Server:
    api: Api
    namespace: str
    pod_of: Callable[[], str]
    port: int
    listener: socket.socket
    stop: socket.socket
    threads: set[threading.Thread] = field(default_factory=set)

    def accept(self) -> None:
        """Accept connections until `stop` becomes readable."""
        while True:
            poll = select.poll()
            poll.register(self.listener, select.POLLIN)
            poll.register(self.stop, select.POLLIN)
            if self.stop.fileno() in dict(poll.poll()):
                return
            with suppress(OSError):  # a client that is gone again
                local, _ = self.listener.accept()
                thread = threading.Thread(
                    target=self._connect, args=(local,), daemon=True
                )
                self.threads = {t for t in self.threads if t.is_alive()} | {thread}
                thread.start()

    def _connect(self, local: socket.socket) -> None:
        with local:
            try:
                pod = self.api.client.forwarded(
                    self.namespace, self.pod_of(), self.port
                )
            except (RayGkeError, OSError):
                return
            local.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pump(local, pod, self.stop)

    def join(self, accepting: threading.Thread) -> None:
        """Wait for all threads; one that still connects is left to end alone."""
        accepting.join()
        for thread in self.threads:
            thread.join(_END_SECONDS)
