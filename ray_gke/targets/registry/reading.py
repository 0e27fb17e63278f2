"""A blob on its way: verified while it passes by, read on where a connection broke."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING

from ray_gke.gke.image_names import ImageName
from ray_gke.targets.broken_connections import reason
from ray_gke.targets.registry import refusals
from ray_gke.targets.registry.client import Registries
from ray_gke.targets.registry.connections import (
    ATTEMPTS,
    PASSES,
    Cut,
    address,
    answer_of,
    unreachable,
)
from ray_gke.targets.registry.manifests import Descriptor

if TYPE_CHECKING:
    import urllib3

CHUNK = 2**20
"""Large enough that hashing and sending run without Python for most of the time."""


class Reading:
    """One way through a blob; `told` hears how far it has come.

    `failure` is why it ended before all was read and right.
    """

    def __init__(
        self,
        registries: Registries,
        source: ImageName,
        blob: Descriptor,
        told: Callable[[int], None],
    ) -> None:
        """Nothing is asked yet."""
        self.blob = blob
        self.failure: BaseException | None = None
        self._registries = registries
        self._source = source
        self._told = told
        self._hash = hashlib.sha256()
        self._hashed = 0

    def chunks(self, start: int) -> Generator[bytes, None, None]:
        """Yield the bytes from `start` on, or end early with a `failure`.

        A second time, `start` may be anywhere in what was read before.
        """
        try:
            yield from self._chunks(start)
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 raised by whoever sends them
            self.failure = error

    def _chunks(self, start: int) -> Iterator[bytes]:
        at, failures = start, 0
        self._verify_if_whole()
        while at < self.blob.size:
            try:
                for chunk in self._rest(at):
                    at += len(chunk)
                    failures = 0
                    yield chunk
            except Cut as cut:
                failures += 1
                if failures == ATTEMPTS:
                    raise unreachable(address(self._source.host), cut) from None
                self._registries.connections.pause(failures - 1)

    def _rest(self, at: int) -> Iterator[bytes]:
        """Yield what one connection gives from `at` on, looked at. Raises Cut."""
        with closing(self._once(at)) as read:
            for chunk in read:
                self._look_at(chunk, at)
                at += len(chunk)
                self._told(at)
                yield chunk
                if at == self.blob.size:
                    return
        raise self._wrong("size")

    def _once(self, at: int) -> Generator[bytes, None, None]:
        """Yield what one connection gives from `at` on. Raises Cut."""
        import urllib3

        last = self.blob.size - 1
        part = {"Range": f"bytes={at}-{last}"} if at else {}
        connections = self._registries.connections
        response = self._registries.read_blob(self._source, self.blob.digest, part)
        with connections.reading(response):
            skip = self._to_skip(response, at)
            try:
                while chunk := response.read(CHUNK, decode_content=False):
                    connections.check()
                    kept = chunk[skip:]
                    skip -= len(chunk) - len(kept)
                    if kept:
                        yield kept
            except urllib3.exceptions.HTTPError as error:
                raise Cut(reason(error)) from None

    def _to_skip(self, response: urllib3.BaseHTTPResponse, at: int) -> int:
        """Return how much of a response was read before. Raises Cut, FailedError."""
        answer = answer_of(response, "")
        if answer.status in PASSES:
            raise Cut(f"status {answer.status}")
        good = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
        self._registries.expect(self._source, answer, "read", good)
        skip = 0 if answer.status == HTTPStatus.PARTIAL_CONTENT else at
        length = answer.headers.get("content-length")
        if length not in (None, str(self.blob.size - at + skip)):
            raise self._wrong("size")
        return skip

    def _look_at(self, chunk: bytes, at: int) -> None:
        end = at + len(chunk)
        if end > self.blob.size:
            raise self._wrong("size")
        if end > self._hashed:
            self._hash.update(memoryview(chunk)[self._hashed - at :])
            self._hashed = end
        self._verify_if_whole()

    def _verify_if_whole(self) -> None:
        whole = self._hashed == self.blob.size
        if whole and self.blob.digest != f"sha256:{self._hash.hexdigest()}":
            raise self._wrong("digest")

    def _wrong(self, kind: str) -> Exception:
        return refusals.wrong_digest(self._source, self.blob.digest, kind)
