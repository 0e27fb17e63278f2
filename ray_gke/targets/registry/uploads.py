"""Uploads of blobs: begun, continued where a connection broke, or taken back.

Sources: OCI distribution specification, "Pushing Blobs", "Pushing a blob in chunks"
(the upload's address tells with `Range` how much it has), "Mounting a blob from
another repository".
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlencode, urlsplit

from ray_gke.gke.image_names import ImageName
from ray_gke.targets.registry.client import Registries
from ray_gke.targets.registry.connections import (
    ATTEMPTS,
    PASSES,
    Answer,
    Cut,
    address,
    unreachable,
)
from ray_gke.targets.registry.manifests import Descriptor
from ray_gke.targets.registry.reading import Reading

_PUSH = "pull,push"
_DONE = frozenset({HTTPStatus.CREATED, HTTPStatus.NO_CONTENT, HTTPStatus.OK})
_SENT = _DONE | {HTTPStatus.ACCEPTED}
_BEGUN = frozenset({HTTPStatus.ACCEPTED, HTTPStatus.CREATED})
_ANEW = PASSES | {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
"""Answers to an upload after which a new one may succeed: its token has run out, its
registry has forgotten it, or what arrived was damaged."""

_GRACE_SECONDS = 3.0


@dataclass(eq=False)
class _Upload:
    target: ImageName
    url: str


class Uploads:
    """Those of a run, for several threads."""

    def __init__(self, registries: Registries) -> None:
        """Nothing is asked yet."""
        self._registries = registries
        self._open: set[_Upload] = set()
        self._changed = threading.Condition()

    def has(self, target: ImageName, blob: Descriptor) -> bool:
        """Tell whether a blob is in a repository."""
        path = f"blobs/{blob.digest}"
        answer = self._registries.ask("HEAD", target, path, actions=_PUSH)
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        self._registries.expect(target, answer, "write", {HTTPStatus.OK})
        return True

    def copy(
        self,
        source: ImageName,
        target: ImageName,
        blob: Descriptor,
        told: Callable[[int], None],
        origin: str = "",
    ) -> None:
        """Bring a blob from `source` to `target`, which does not have it.

        It is not sent when the registry takes it from its own repository `origin`.
        Raises FailedError and RefusedError; then no upload is left.
        """
        for attempt in range(ATTEMPTS):
            upload = self._begin(target, blob, origin)
            if upload is None:
                return
            try:
                failure = self._send(
                    upload, Reading(self._registries, source, blob, told)
                )
            except BaseException:
                self._cancel(upload)
                raise
            if failure is None:
                self._forget(upload)
                return
            self._cancel(upload)
            # What got lost may have been the answer alone.
            if self.has(target, blob):
                return
            if attempt < ATTEMPTS - 1:
                self._registries.connections.pause(attempt)
        if isinstance(failure, Answer):
            self._registries.expect(target, failure, "write", _DONE)
        raise unreachable(address(target.host), failure)

    def cancel(self) -> None:
        """Take back all uploads that are still open, as whoever sends them does.

        A thread that hangs is not waited for.
        """
        self._registries.connections.hang_up()
        with self._changed:
            self._changed.wait_for(lambda: not self._open, _GRACE_SECONDS)
            left = tuple(self._open)
        for upload in left:
            self._cancel(upload)

    def _begin(
        self, target: ImageName, blob: Descriptor, origin: str
    ) -> _Upload | None:
        """Return a new upload, None where the blob came from `origin`."""
        mount = urlencode({"mount": blob.digest, "from": origin}) if origin else ""
        answer = self._registries.ask(
            "POST",
            target,
            f"blobs/uploads/{'?' if mount else ''}{mount}",
            actions=_PUSH,
            also=(f"repository:{origin}:pull",) if origin else (),
        )
        if origin and answer.status not in _BEGUN:
            return self._begin(target, blob, "")
        self._registries.expect(target, answer, "write", _BEGUN)
        if answer.status == HTTPStatus.CREATED:
            return None
        upload = _Upload(target, answer.location())
        with self._changed:
            self._open.add(upload)
        return upload

    def _send(self, upload: _Upload, reading: Reading) -> Answer | Cut | None:
        """Send a blob, on and on while the registry keeps more of it each time.

        Return what went wrong at last, None when nothing did.
        """
        offset = 0
        while True:
            failure: Answer | Cut
            try:
                failure = self._patch(upload, reading, offset)
            except Cut as cut:
                failure = cut
            else:
                if failure.status in _SENT:
                    return self._commit(upload, reading)
            if reading.failure:
                raise reading.failure
            kept = self._kept(upload)
            if kept <= offset:
                return failure
            offset = kept

    def _patch(self, upload: _Upload, reading: Reading, offset: int) -> Answer:
        kind = {"Content-Type": "application/octet-stream"}
        part = {"Content-Range": f"{offset}-{reading.blob.size - 1}"} if offset else {}
        # Its connection must not wait for the garbage collector when ours breaks.
        with closing(reading.chunks(offset)) as chunks:
            answer = self._registries.send_blob(
                upload.target, upload.url, {**kind, **part}, chunks
            )
        if answer.status in _SENT and "location" in answer.headers:
            upload.url = answer.location()
        elif answer.status not in {*_SENT, *_ANEW}:
            self._registries.expect(upload.target, answer, "write", _SENT)
        return answer

    def _commit(self, upload: _Upload, reading: Reading) -> Answer | None:
        """Let a registry take what it got as a blob, once all of it was right."""
        if reading.failure:
            raise reading.failure
        separator = "&" if urlsplit(upload.url).query else "?"
        digest = quote(reading.blob.digest, safe="")
        url = f"{upload.url}{separator}digest={digest}"
        answer = self._registries.ask(
            "PUT", upload.target, url, actions=_PUSH, headers={"Content-Length": "0"}
        )
        if answer.status not in _ANEW:
            self._registries.expect(upload.target, answer, "write", _DONE)
            return None
        return answer

    def _kept(self, upload: _Upload) -> int:
        """Return how many bytes the registry has of an upload; it may not tell."""
        answer = self._registries.ask("GET", upload.target, upload.url, actions=_PUSH)
        held = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("range", ""))
        if answer.status not in _SENT or not held:
            return 0
        if "location" in answer.headers:
            upload.url = answer.location()
        # 0-0 is what registries say of an upload that has nothing yet.
        return int(held[1]) + 1 if int(held[1]) else 0

    def _cancel(self, upload: _Upload) -> None:
        self._registries.cancel_upload(upload.target, upload.url)
        self._forget(upload)

    def _forget(self, upload: _Upload) -> None:
        with self._changed:
            self._open.discard(upload)
            self._changed.notify_all()
