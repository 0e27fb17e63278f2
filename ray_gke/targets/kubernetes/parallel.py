"""Several things at once that wait for the API server."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

THREADS = 8

_GRACE_SECONDS = 0.5


def in_parallel(
    do: Callable[[T], R], values: Iterable[T], stop: threading.Event
) -> list[R]:
    """Return what `do` returns for each value, in their order.

    The first failure is raised once all that had begun has ended; until then `stop` is
    set, to end what waits. Ctrl-C sets it for good and waits hardly: a thread that
    hangs must not keep us.
    """
    several = list(values)
    if len(several) < 2:  # noqa: PLR2004 nothing to be done at once
        return [do(value) for value in several]
    work = _Work(do, several, stop)
    threads = [
        threading.Thread(target=work.go, daemon=True)
        for _ in range(min(THREADS, len(several)))
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        work.ended = True
        stop.set()
        _join(threads)
        raise
    return work.outcome()


class _Work(Generic[T, R]):
    def __init__(
        self, do: Callable[[T], R], values: Sequence[T], stop: threading.Event
    ) -> None:
        self.ended = False
        self._do = do
        self._values = values
        self._stop = stop
        self._stopped_before = stop.is_set()
        # Each number is taken by one thread only.
        self._next = itertools.count()
        self._results: dict[int, R] = {}
        self._errors: list[BaseException] = []

    def go(self) -> None:
        """Do one after the other until nothing is left, or one has failed."""
        while not self.ended and (number := next(self._next)) < len(self._values):
            try:
                self._results[number] = self._do(self._values[number])
            except BaseException as error:  # noqa: BLE001 raised by whoever waits for us
                self._errors.append(error)
                self.ended = True
                self._stop.set()

    def outcome(self) -> list[R]:
        """Return the results, or raise what went wrong first."""
        if self._errors:
            if not self._stopped_before:
                self._stop.clear()
            raise self._errors[0]
        return [self._results[number] for number in range(len(self._values))]


def _join(threads: Iterable[threading.Thread]) -> None:
    until = time.monotonic() + _GRACE_SECONDS
    for thread in threads:
        if thread.is_alive():
            thread.join(max(0.0, until - time.monotonic()))
