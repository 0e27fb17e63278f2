"""Cloud Storage on this machine, for Terraform's own backend `gcs`.

It has what the backend asks for, by the JSON API v1 and, for contents, by the XML API:
list, metadata, media, insert and delete, with generations and their preconditions. Of
IAM it has the test of permissions.
Source: Cloud Storage "JSON API" and "XML API" references, "Request preconditions".
"""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import json
import threading
import urllib.parse
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.loopback_server import LoopbackServer

_API = "/storage/v1/b/"
_UPLOAD = "/upload/storage/v1/b/"
_PERMISSIONS = "iam/testPermissions"
_JSON = "application/json; charset=UTF-8"
_MISSING = "The specified bucket does not exist."
_CONDITION = "At least one of the pre-conditions you specified did not hold."
_LOCK = {"Operation": "OperationTypeApply", "Info": "", "Version": "1.11.4"}


@dataclass(frozen=True)
class Answer:
    """What the server says to one request."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True)
class _Object:
    """Contents of an object, and the number that each write raises."""

    data: bytes
    generation: int


class Bucket(LoopbackServer):
    """The buckets `names`, empty at first, while it is open; there are no others.

    `asked` is what was asked: method and path of each request. What is in `revoked` is
    found not to be granted, which guards nothing by itself.
    """

    def __init__(self, *names: str) -> None:
        self.asked: list[str] = []
        self.revoked: set[str] = set()
        self._buckets: dict[str, dict[str, _Object]] = {name: {} for name in names}
        self._generation = 1_700_000_000_000_000
        self._refusal: tuple[int, str] | None = None
        self._lock = threading.Lock()
        super().__init__(functools.partial(_Handler, self))

    def env(self) -> dict[str, str]:
        """Return what Terraform needs in its environment to find it."""
        return {"GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT": f"{self.url}/storage/v1/"}

    def make(self, name: str) -> None:
        """Make a bucket, as `gcloud storage buckets create` does."""
        self._buckets.setdefault(name, {})

    def objects(self, name: str) -> dict[str, bytes]:
        """Return the contents of a bucket by the objects' names."""
        return {key: one.data for key, one in self._buckets[name].items()}

    def put(self, name: str, key: str, data: bytes) -> int:
        """Write an object, as somebody else; return its generation."""
        with self._lock:
            return self._write(self._buckets[name], key, data).generation

    def delete(self, name: str, key: str) -> None:
        """Remove an object, as somebody else."""
        with self._lock:
            del self._buckets[name][key]

    def lock(self, name: str, prefix: str, who: str, created: str) -> int:
        """Lock a state, as Terraform does for `who` (user@host); return the lock's ID.

        `created` is a time as JSON has it: 2026-01-02T03:04:05.678901234Z.
        """
        key = f"{prefix}/default.tflock"
        path = f"gs://{name}/{key}"
        told = {**_LOCK, "ID": "", "Who": who, "Created": created, "Path": path}
        return self.put(name, key, json.dumps(told).encode())

    def refuse(self, status: int, reason: str) -> None:
        """Answer every request so from now on, with `reason` in Google's form."""
        self._refusal = status, reason

    def accept(self) -> None:
        """Refuse no more."""
        self._refusal = None

    def answer(self, method: str, target: str, kind: str, body: bytes) -> Answer:
        """Return the answer to a request, whose body is of the content type `kind`."""
        url = urllib.parse.urlsplit(target)
        asked = dict(urllib.parse.parse_qsl(url.query))
        name, key = _named(url.path)
        with self._lock:
            self.asked.append(f"{method} {url.path}")
            there = self._buckets.get(name)
            if self._refusal:
                return _error(*self._refusal)
            if there is None:
                return _error(HTTPStatus.NOT_FOUND, _MISSING)
            if key == _PERMISSIONS:
                return _granted(url.query, self.revoked)
            if method == "POST":
                about, data = _parts(kind, body)
                return self._insert(there, name, about["name"], data, asked)
            if key is None:
                return _list(there, name, asked)
            whole = asked.get("alt") == "media" or not url.path.startswith(_API)
            return _one(there, name, key, asked, method=method, whole=whole)

    def _insert(
        self,
        there: dict[str, _Object],
        name: str,
        key: str,
        data: bytes,
        asked: Mapping[str, str],
    ) -> Answer:
        if not _holds(there.get(key), asked):
            return _error(HTTPStatus.PRECONDITION_FAILED, _CONDITION)
        return _told(_resource(name, key, self._write(there, key, data)))

    def _write(self, there: dict[str, _Object], key: str, data: bytes) -> _Object:
        self._generation += 1
        there[key] = _Object(data, self._generation)
        return there[key]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, bucket: Bucket, *about: Any) -> None:
        self._bucket = bucket
        super().__init__(*about)

    def _do(self) -> None:
        body = self._body()
        kind = self.headers.get("Content-Type", "")
        answer = self._bucket.answer(self.command, self.path, kind, body)
        self.send_response(answer.status)
        for name, value in (answer.headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        # No connection is kept that the end would have to wait for.
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def _body(self) -> bytes:
        """Return what is sent: an upload comes in chunks, as its size is not known."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_POST = do_DELETE = _do  # noqa: N815 as they are called

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 as it is called
        pass


def _named(path: str) -> tuple[str, str | None]:
    """Return bucket and object of a path: of the JSON API, or of the XML API."""
    for api in (_UPLOAD, _API):
        if path.startswith(api):
            name, _, rest = path.removeprefix(api).partition("/")
            key = rest.removeprefix("o").removeprefix("/")
            return name, urllib.parse.unquote(key) or None
    name, _, key = path.removeprefix("/").partition("/")
    return name, urllib.parse.unquote(key)


def _parts(kind: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """Return metadata and contents of an upload of the type multipart."""
    boundary = kind.partition("boundary=")[2].strip('"')
    _, *parts, _ = body.split(f"--{boundary}".encode())
    about, data = (part.partition(b"\r\n\r\n")[2] for part in parts)
    return json.loads(about), data.removesuffix(b"\r\n")


def _holds(there: _Object | None, asked: Mapping[str, str]) -> bool:
    """Tell whether a precondition holds: the generation 0 is of what is not there."""
    wanted = asked.get("ifGenerationMatch")
    return wanted is None or int(wanted) == (there.generation if there else 0)


def _one(  # noqa: PLR0913 - a request has as many parts
    there: dict[str, _Object],
    name: str,
    key: str,
    asked: Mapping[str, str],
    *,
    method: str,
    whole: bool,
) -> Answer:
    """Return an object's contents or what is known of it, or delete it."""
    if key not in there:
        return _error(HTTPStatus.NOT_FOUND, f"No such object: {name}/{key}")
    if not _holds(there[key], asked):
        return _error(HTTPStatus.PRECONDITION_FAILED, _CONDITION)
    if method == "DELETE":
        del there[key]
        return Answer(HTTPStatus.NO_CONTENT)
    return _media(there[key]) if whole else _told(_resource(name, key, there[key]))


def _list(there: Mapping[str, _Object], name: str, asked: Mapping[str, str]) -> Answer:
    """Return the objects of a folder: those with a further delimiter are left out."""
    prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter")
    found = [
        _resource(name, key, one)
        for key, one in sorted(there.items())
        if key.startswith(prefix)
        and not (delimiter and delimiter in key.removeprefix(prefix))
    ]
    return _told({"kind": "storage#objects", "items": found})


def _granted(query: str, revoked: Collection[str]) -> Answer:
    permissions = urllib.parse.parse_qs(query)["permissions"]
    found = [one for one in permissions if one not in revoked]
    kind = "storage#testIamPermissionsResponse"
    return _told({"kind": kind, **({"permissions": found} if found else {})})


def _resource(name: str, key: str, one: _Object) -> dict[str, Any]:
    return {
        "kind": "storage#object",
        "bucket": name,
        "name": key,
        "generation": str(one.generation),
        "metageneration": "1",
        "size": str(len(one.data)),
        "md5Hash": base64.b64encode(hashlib.md5(one.data).digest()).decode(),
    }


def _media(one: _Object) -> Answer:
    headers = {
        "Content-Type": "application/octet-stream",
        "X-Goog-Generation": str(one.generation),
        "X-Goog-Metageneration": "1",
    }
    return Answer(HTTPStatus.OK, one.data, headers)


def _told(value: Mapping[str, Any]) -> Answer:
    return Answer(HTTPStatus.OK, json.dumps(value).encode(), {"Content-Type": _JSON})


def _error(status: int, message: str) -> Answer:
    told = {"code": int(status), "message": message, "errors": [{"message": message}]}
    body = json.dumps({"error": told}).encode()
    return Answer(status, body, {"Content-Type": _JSON})
