"""Several streams of lines at once, each read in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Self

_MOST_WAITING = 10_000
_TURN_SECONDS = 0.5


class Streams:
    """What the streams bring, in the order in which it comes.

    Leaving the context lets go of them: a thread that waits for a line ends with it.
    """

    def __init__(self) -> None:
        """There are no streams yet."""
        self._lines: queue.Queue[tuple[str, str | Exception | None]]
        self._lines = queue.Queue(_MOST_WAITING)
        self._left = threading.Event()
        self._running = 0

    @property
    def running(self) -> int:
        """How many have not yet ended."""
        return self._running

    def add(self, source: str, lines: Iterator[str]) -> None:
        """Read a stream too; its lines are said to be from `source`."""
        self._running += 1
        threading.Thread(target=self._read, args=(source, lines), daemon=True).start()

    def next(self, seconds: float) -> tuple[str, str] | None:
        """Return source and line of the next line, or None when none comes so long.

        Raises what a stream has raised.
        """
        with suppress(queue.Empty):
            while True:
                source, line = self._lines.get(timeout=seconds)
                if isinstance(line, str):
                    return source, line
                self._running -= 1
                if line is not None:
                    raise line
                if not self._running and self._lines.empty():
                    return None
        return None

    def __enter__(self) -> Self:
        """Return the streams."""
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()

    def _read(self, source: str, lines: Iterator[str]) -> None:
        end: Exception | None = None
        try:
            for line in lines:
                if not self._put(source, line):
                    return
        except Exception as error:  # noqa: BLE001 raised again by whoever asks for lines
            end = error
        self._put(source, end)

    def _put(self, source: str, line: str | Exception | None) -> bool:
        while not self._left.is_set():
            with suppress(queue.Full):
                self._lines.put((source, line), timeout=_TURN_SECONDS)
                return True
        return False
