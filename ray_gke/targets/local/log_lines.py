"""Read the lines of a file that is still being written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

_CHUNK = 2**18
MOST_BYTES = 2**20
"""A line longer than this is told in parts, so that it cannot fill our memory."""


class GrowingFile:
    """Every line of a file exactly once, as soon as it is whole.

    The file need not exist yet, and may be removed once it was opened. Bytes that are
    not UTF-8 become the replacement character.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is opened before the first line is asked for."""
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = bytearray()

    def lines(self) -> Iterator[str]:
        """Return the lines that have become whole since the last time."""
        while chunk := self._read():
            start = max(0, len(self._rest) - 1)
            self._rest += chunk
            yield from self._whole(start)

    def __enter__(self) -> Self:
        """The file is closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def last(self) -> Iterator[str]:
        """Return all that is left, also a last line without its end."""
        yield from self.lines()
        if self._rest:
            yield _text(self._rest)
            self._rest.clear()

    def _read(self) -> bytes:
        if self._file is None:
            try:
                self._file = self._path.open("rb")
            except OSError:
                return b""
        return self._file.read(_CHUNK)

    def _whole(self, start: int) -> Iterator[str]:
        begin = 0
        end = self._rest.find(b"\n", start)
        while end >= 0:
            yield _text(self._rest[begin:end])
            begin = end + 1
            end = self._rest.find(b"\n", begin)
        del self._rest[:begin]
        while len(self._rest) > MOST_BYTES:
            yield _text(self._rest[:MOST_BYTES])
            del self._rest[:MOST_BYTES]


def _text(line: bytes | bytearray) -> str:
    return line.decode("utf-8", "replace").removesuffix("\r")


def tail(path: Path, count: int) -> list[str]:
    """Return the last lines of a file, none when it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _CHUNK))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]
