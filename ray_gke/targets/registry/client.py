"""Questions to registries, by the OCI distribution API.

Sources: OCI distribution specification 1.1; distribution "HTTP API V2".
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ray_gke.errors import FailedError, RayGkeError, RefusedError
from ray_gke.gke.image_names import ImageName
from ray_gke.targets.registry import manifests, refusals, sending
from ray_gke.targets.registry.connections import (
    COPYING,
    Answer,
    Connections,
    Cut,
    Headers,
    Patience,
    address,
    answer_of,
    same_host,
)
from ray_gke.targets.registry.logins import Logins
from ray_gke.targets.registry.manifests import Descriptor, Manifest
from ray_gke.targets.registry.tokens import Scope, Tokens

if TYPE_CHECKING:
    import urllib3

_NOT_ALLOWED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NOTHING: Headers = {}


class Registries:
    """Connections and logins of all registries, for several threads.

    `google` gives Google's access token, or raises RefusedError; it is asked for
    registries of Google's alone. Once `stop` is set, everything ends with
    InterruptedRun.
    """

    def __init__(
        self,
        google: Callable[[], str] | None = None,
        stop: threading.Event | None = None,
        patience: Patience = COPYING,
    ) -> None:
        """Nothing is asked yet."""
        self.connections = Connections(stop or threading.Event(), patience)
        self.logins = Logins(google)
        self._tokens = Tokens(self.connections, self.logins)

    def manifest(self, name: ImageName) -> Manifest | None:
        """Return what a name stands for, None when the registry has nothing there.

        Raises RefusedError when it may not be read, FailedError when it is not what its
        digest promises.
        """
        path = f"manifests/{name.version}"
        answer = self.ask("GET", name, path, headers={"Accept": manifests.ACCEPT})
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        self.expect(name, answer, "read", {HTTPStatus.OK})
        promised = name.digest or answer.headers.get("docker-content-digest")
        kind = answer.headers.get("content-type", "")
        return manifests.read(name, kind, answer.body, promised)

    def digest(self, name: ImageName) -> str | None:
        """Return the digest that a name stands for, None when there is nothing."""
        answer = self._head(name, f"manifests/{name.version}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        self.expect(name, answer, "read", {HTTPStatus.OK})
        if given := answer.headers.get("docker-content-digest"):
            return given
        manifest = self.manifest(name)
        return manifest.digest if manifest else None

    def exists(self, name: ImageName) -> bool | None:
        """Tell whether a registry has an image, None when that may not be read."""
        try:
            answer = self._head(name, f"manifests/{name.version}")
        except RefusedError:
            return None
        if answer.status in _NOT_ALLOWED:
            return None
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        self.expect(name, answer, "read", {HTTPStatus.OK})
        return True

    def blob_size(self, name: ImageName, digest: str) -> int | None:
        """Return the size of a blob in the repository of `name`, None without it."""
        answer = self._head(name, f"blobs/{digest}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        self.expect(name, answer, "read", {HTTPStatus.OK})
        length = answer.headers.get("content-length", "")
        return int(length) if length.isdecimal() else None

    def config(self, name: ImageName, manifest: Manifest) -> Mapping[str, Any]:
        """Return the configuration of an image: its platform, its layers, what it runs.

        Raises FailedError when it is not what its digest promises.
        """
        config = Descriptor("", str(manifest.parsed["config"]["digest"]), 0)
        answer = self.ask("GET", name, f"blobs/{config.digest}")
        self.expect(name, answer, "read", {HTTPStatus.OK})
        if manifests.digest_of(answer.body) != config.digest:
            raise refusals.wrong_digest(name, config.digest)
        try:
            said = json.loads(answer.body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            message = f"{name}: its configuration is not understood"
            raise FailedError(message, hint="is it an image?")
        return said

    def put_manifest(self, name: ImageName, manifest: Manifest) -> None:
        """Write a manifest under the tag of `name`, or its digest without a tag."""
        answer = self.ask(
            "PUT",
            name,
            f"manifests/{name.tag or manifest.digest}",
            actions="pull,push",
            headers={"Content-Type": manifest.media_type},
            body=manifest.body,
        )
        self.expect(name, answer, "write", {HTTPStatus.CREATED, HTTPStatus.OK})
        given = answer.headers.get("docker-content-digest")
        if given not in (None, manifest.digest):
            raise refusals.wrong_digest(name, manifest.digest)

    def ask(  # noqa: PLR0913 a request has as many parts
        self,
        method: str,
        name: ImageName,
        path: str,
        *,
        actions: str = "pull",
        also: Scope = (),
        headers: Headers = _NOTHING,
        body: bytes | None = None,
    ) -> Answer:
        """Return the answer to a small request about the repository of `name`.

        `path` is below it, or a whole address that the registry named; `also` are
        further scopes that the request needs.
        """
        scope = (f"repository:{name.path}:{actions}", *also)
        url = path if "://" in path else f"{self._base(name)}/{path}"

        def once(headers: Headers) -> Answer:
            return self.connections.ask(method, url, headers, body)

        answer = once(self._with_login(name, scope, url, headers))
        if not self._asks_for_login(name, scope, url, answer):
            return answer
        return once(self._with_login(name, scope, url, headers))

    def read_blob(
        self, name: ImageName, digest: str, headers: Headers
    ) -> urllib3.BaseHTTPResponse:
        """Return a response with a blob that is not read yet. Raises Cut."""
        scope = (f"repository:{name.path}:pull",)
        url = f"{self._base(name)}/blobs/{digest}"

        def once() -> urllib3.BaseHTTPResponse:
            login = self._with_login(name, scope, url, headers)
            return self.connections.open("GET", url, login)

        response = once()
        if self._asks_for_login(name, scope, url, answer_of(response, url)):
            response.drain_conn()
            response.release_conn()
            return once()
        return response

    def send_blob(
        self, name: ImageName, url: str, headers: Headers, chunks: Iterable[bytes]
    ) -> Answer:
        """Send a blob's bytes to an upload's address, once. Raises Cut."""
        scope = (f"repository:{name.path}:pull,push",)
        login = self._with_login(name, scope, url, headers)
        answer = sending.patch(url, login, chunks)
        self._asks_for_login(name, scope, url, answer)
        return answer

    def cancel_upload(self, name: ImageName, url: str) -> None:
        """Let a registry forget an upload; nothing is said when it does not."""
        scope = (f"repository:{name.path}:pull,push",)
        with suppress(Cut, RayGkeError):
            login = self._with_login(name, scope, url, _NOTHING)
            self.connections.once("DELETE", url, login)

    def expect(
        self, name: ImageName, answer: Answer, doing: str, good: Iterable[int]
    ) -> None:
        """Raise the error for an answer that is none of the `good` ones."""
        if answer.status not in good:
            raise refusals.refusal(name, answer, doing, self.logins.hint(name.host))

    def _head(self, name: ImageName, path: str) -> Answer:
        return self.ask("HEAD", name, path, headers={"Accept": manifests.ACCEPT})

    @staticmethod
    def _base(name: ImageName) -> str:
        return f"{address(name.host)}/v2/{name.path}"

    def _with_login(
        self, name: ImageName, scope: Scope, url: str, headers: Headers
    ) -> Headers:
        if not same_host(url, address(name.host)):
            return headers
        header = self._tokens.header(name.host, scope)
        return {**headers, "Authorization": header} if header else headers

    def _asks_for_login(
        self, name: ImageName, scope: Scope, url: str, answer: Answer
    ) -> bool:
        """Tell whether the same request, with a new login, is worth while."""
        challenge = answer.headers.get("www-authenticate")
        ours = same_host(url, address(name.host))
        if answer.status != HTTPStatus.UNAUTHORIZED or not (challenge and ours):
            return False
        self._tokens.refused(name.host, scope, challenge)
        return True
