"""Moments in the life of a command: those at which it asks the API server."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.cluster.api_proxy import Request
from tests.cluster.fault_proxy import Fault, FaultProxy
from tests.kubernetes.commands import Command
from tests.kubernetes.desk import Desk
from tests.kubernetes.lives import Life, new_life


class Moment:
    """Something that is done to a command when it asks for the `number`th time."""

    def __init__(
        self, number: int, do: Callable[[], object], *, reached: bool = False
    ) -> None:
        """`reached`: the API server has done what was asked by then."""
        self.number = number
        self.reached = reached
        self._do = do

    def at(self, proxy: FaultProxy) -> None:
        """Wait for it at a proxy."""
        proxy.before, proxy.after = self._before, self._after

    def _before(self, number: int, request: Request) -> Fault | None:
        if number != self.number:
            return None
        if self.reached:
            return "reset after"
        self._after(number, request)
        return "reset before"

    def _after(self, _: int, __: Request) -> None:
        self._do()


def requests(desk: Desk, name: str, word: str) -> int:
    """Return how often `up` or `down` asks the API server when nothing disturbs it."""
    life = new_life(desk, name, desk.new_namespace())
    counts = {}
    for command in ("up", "down"):
        with FaultProxy(desk.cluster, desk.folder / life.namespace) as proxy:
            options = ("--detach",) if command == "up" else ()
            life.done(command, *options, kubeconfig=proxy.kubeconfig)
            counts[command] = proxy.requests
    return counts[word]


def spread(length: int, number: int, chance: random.Random) -> list[int]:
    """Return so many moments of a life of that length, one in each part of it."""
    return [
        1 + int((part + chance.random()) * length / number) for part in range(number)
    ]


@dataclass(frozen=True)
class Held:
    """An `up` that is held at a request until it may go on."""

    command: Command
    proxy: FaultProxy
    go_on: Callable[[], None]


@contextmanager
def held_at(
    life: Life, where: Callable[[Request], bool], *options: str
) -> Iterator[Held]:
    """Start an `up`, and give it once it is held at a request."""
    there, go_on = threading.Event(), threading.Event()
    with FaultProxy(life.cluster, life.desk.folder / life.namespace) as proxy:

        def hold(_: int, request: Request) -> Fault | None:
            if where(request) and not there.is_set():
                there.set()
                go_on.wait()
            return None

        proxy.before = hold
        command = life.start("up", *options, kubeconfig=proxy.kubeconfig)
        try:
            assert there.wait(60), str(command)
            yield Held(command, proxy, go_on.set)
        finally:
            go_on.set()
