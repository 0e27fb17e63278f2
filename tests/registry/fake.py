"""A registry on loopback that does what a test asks for, bad days included.

Source: OCI distribution specification 1.1; distribution "Token Authentication
Specification". It is written from these, not from what asks it.
"""

from __future__ import annotations

import base64
import functools
import http.server
import itertools
import json
import re
import threading
import urllib.parse
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.loopback_server import LoopbackServer
from tests.registry.images import Image, digest

_REPOSITORY = re.compile(
    r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs)/(?P<rest>.+)"
)
_BLOCK = 2**14


@dataclass
class Faults:
    """What goes wrong; counts go down to nothing as it does."""

    answers: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    """Instead of the true answer, by `METHOD /path`, which may be a pattern."""
    reading_ends_after: dict[str, list[int]] = field(default_factory=dict)
    """After so many bytes of a blob the connection ends; once for each number."""
    writing_ends_after: list[int] = field(default_factory=list)
    """The same for the next blobs that are sent, if they have as many."""
    other_blobs: dict[str, bytes] = field(default_factory=dict)
    """What is given for a blob instead of its contents."""
    other_manifests: dict[str, bytes] = field(default_factory=dict)
    held: dict[str, threading.Event] = field(default_factory=dict)
    """Reading a blob stops in the middle until the event is set."""


class FakeRegistry(LoopbackServer):
    """Holds images in memory, while it is open. `host` begins their names.

    `asked` is every request: method and path. `scopes` are those for which tokens were
    asked.
    """

    def __init__(
        self,
        *,
        login: tuple[str, str] | None = None,
        basic: bool = False,
        ranges: bool = True,
        continues: bool = True,
        mounts: bool = True,
    ) -> None:
        self.login, self.basic = login, basic
        self.ranges, self.continues, self.mounts = ranges, continues, mounts
        self.faults = Faults()
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.scopes: list[tuple[str, ...]] = []
        self.sent: Counter[str] = Counter()
        """Bytes of each blob that were read."""
        self.blobs: dict[tuple[str, str], bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.uploads: dict[str, bytes] = {}
        self.blob_host = ""
        """Where blobs are read, if elsewhere."""
        self._tokens: dict[str, tuple[str, ...]] = {}
        self._count = itertools.count(1)
        self._lock = threading.Lock()
        super().__init__(functools.partial(_Handler, self))

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def put(self, repository: str, one: Image, tag: str | None = None) -> str:
        """Hold an image; return its name."""
        for name, data in one.blobs.items():
            self.blobs[repository, name] = data
        for below in one.listed:
            self.put(repository, below)
        for version in filter(None, (tag, one.digest)):
            self.manifests[repository, version] = one.media_type, one.body
        end = f":{tag}" if tag else f"@{one.digest}"
        return f"{self.host}/{repository}{end}"

    def tags(self, repository: str) -> dict[str, str]:
        """Return the digests of a repository's tags."""
        return {
            version: digest(body)
            for (where, version), (_, body) in self.manifests.items()
            if where == repository and not version.startswith("sha256:")
        }

    def repositories(self) -> set[str]:
        return {where for where, _ in (*self.manifests, *self.blobs)}

    def times(self, method: str, part: str) -> int:
        """Return how often was asked with a method, and a path that has a part."""
        return sum(one.startswith(f"{method} ") and part in one for one in self.asked)

    def forget_tokens(self) -> None:
        """Refuse all tokens that were given."""
        self._tokens.clear()

    def note(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        with self._lock:
            self.asked.append(f"{method} {path}")
            self.headers.append(dict(headers))

    def fault(self, method: str, path: str) -> tuple[int, dict[str, str]] | None:
        with self._lock:
            for pattern, answers in self.faults.answers.items():
                if answers and re.fullmatch(pattern, f"{method} {path}"):
                    return answers.pop(0)
        return None

    def challenge(self, needed: set[str], given: str) -> str | None:
        """Return what a request without the right to `needed` is told."""
        if self.login is None:
            return None
        if self.basic:
            return None if given == self._basic_header() else 'Basic realm="here"'
        held = self._tokens.get(given.removeprefix("Bearer "), ())
        if needed <= set(_split(held)):
            return None
        return f'Bearer realm="{self.url}/token",service="fake"'

    def token(self, query: Mapping[str, list[str]], given: str) -> tuple[int, bytes]:
        """Answer a login for some scopes."""
        scopes = tuple(query.get("scope", ()))
        refresh = query.get("refresh_token") == [self.login[1] if self.login else ""]
        if given != self._basic_header() and not refresh:
            return 401, b"{}"
        with self._lock:
            self.scopes.append(scopes)
            name = f"token-{next(self._count)}"
            self._tokens[name] = scopes
        return 200, json.dumps({"token": name, "expires_in": 300}).encode()

    def begin(self) -> str:
        with self._lock:
            name = str(next(self._count))
            self.uploads[name] = b""
            return name

    def _basic_header(self) -> str:
        pair = ":".join(self.login or ("", ""))
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _split(scopes: tuple[str, ...]) -> set[str]:
    """Return `repository:a:pull,push` as one action each."""
    found = set()
    for scope in " ".join(scopes).split():
        start, _, actions = scope.rpartition(":")
        found |= {f"{start}:{action}" for action in actions.split(",")}
    return found


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, registry: FakeRegistry, *arguments: Any) -> None:
        self.registry = registry
        super().__init__(*arguments)

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 http.server's names

    def _answer(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        self.registry.note(self.command, self.path, dict(self.headers.items()))
        given = self.headers.get("Authorization", "")
        if url.path == "/token":
            text = url.query or self._body().decode()
            self._say(*self.registry.token(urllib.parse.parse_qs(text), given))
            return
        if fault := self.registry.fault(self.command, self.path):
            self._drop()
            self._say(fault[0], b"{}", fault[1])
            return
        match = _REPOSITORY.fullmatch(url.path)
        assert match, self.path
        repository, kind, rest = match.groups()
        query = dict(urllib.parse.parse_qsl(url.query))
        if challenge := self.registry.challenge(self._needed(repository, query), given):
            self._drop()
            self._say(401, _error("UNAUTHORIZED"), {"WWW-Authenticate": challenge})
        elif kind == "manifests":
            self._manifest(repository, rest)
        elif rest.startswith("uploads/"):
            self._upload(repository, rest.removeprefix("uploads/"), query)
        else:
            self._blob(repository, rest)

    def _needed(self, repository: str, query: Mapping[str, str]) -> set[str]:
        writes = self.command in {"POST", "PATCH", "PUT", "DELETE"}
        needed = {f"repository:{repository}:{'push' if writes else 'pull'}"}
        if origin := query.get("from"):
            needed.add(f"repository:{origin}:pull")
        return needed

    def _manifest(self, repository: str, version: str) -> None:
        held = self.registry.manifests
        if self.command == "PUT":
            body, kind = self._body(), self.headers["Content-Type"]
            for name in (version, digest(body)):
                held[repository, name] = kind, body
            self._say(201, headers={"Docker-Content-Digest": digest(body)})
        elif (repository, version) not in held:
            self._say(404, _error("MANIFEST_UNKNOWN"))
        else:
            kind, body = held[repository, version]
            told = {"Content-Type": kind, "Docker-Content-Digest": digest(body)}
            other = self.registry.faults.other_manifests.get(version)
            self._say(200, body if other is None else other, told)

    def _blob(self, repository: str, name: str) -> None:
        data = self.registry.blobs.get((repository, name))
        if data is None:
            self._say(404, _error("BLOB_UNKNOWN"))
        elif self.command == "GET" and self.registry.blob_host:
            there = {"Location": f"{self.registry.blob_host}{self.path}"}
            self._say(307, headers=there)
        else:
            self._give(name, self.registry.faults.other_blobs.get(name, data))

    def _give(self, name: str, data: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and self.registry.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            end = len(data) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "GET":
            self._stream(name, data[start:])

    def _stream(self, name: str, data: bytes) -> None:
        faults = self.registry.faults
        ends = faults.reading_ends_after.get(name)
        last = ends.pop(0) if ends else len(data)
        for at in range(0, last, _BLOCK):
            block = data[at : min(at + _BLOCK, last)]
            if at and (held := faults.held.get(name)):
                held.wait(30)
            try:
                self.wfile.write(block)
            except OSError:
                self.close_connection = True
                return
            self.registry.sent[name] += len(block)
        self.close_connection = last < len(data) or self.close_connection

    def _upload(self, repository: str, name: str, query: Mapping[str, str]) -> None:
        registry = self.registry
        place = f"/v2/{repository}/blobs/uploads/"
        if self.command == "POST":
            origin = query.get("from", ""), query.get("mount", "")
            if registry.mounts and origin in registry.blobs:
                registry.blobs[repository, origin[1]] = registry.blobs[origin]
                self._say(201)
            else:
                self._say(202, headers={"Location": place + registry.begin()})
        elif name not in registry.uploads:
            self._drop()
            self._say(404, _error("BLOB_UPLOAD_UNKNOWN"))
        elif self.command == "DELETE":
            del registry.uploads[name]
            self._say(204)
        elif self.command == "GET" and registry.continues:
            last = max(0, len(registry.uploads[name]) - 1)
            self._say(204, headers={"Location": place + name, "Range": f"0-{last}"})
        elif self.command == "PATCH":
            self._append(repository, name)
        elif self.command == "PUT":
            self._commit(repository, name, query["digest"])
        else:
            self._say(405, _error("UNSUPPORTED"))

    def _append(self, repository: str, name: str) -> None:
        registry = self.registry
        part = re.fullmatch(r"(\d+)-\d+", self.headers.get("Content-Range", "0-0"))
        assert part
        if int(part[1]) != len(registry.uploads[name]):
            self._drop()
            self._say(416, _error("RANGE_INVALID"))
            return
        ends = registry.faults.writing_ends_after
        last = ends[0] if ends else None
        body = self._body(last)
        registry.uploads[name] += body
        if len(body) == last:
            ends.pop(0)
            self.close_connection = True
            return
        end = max(0, len(registry.uploads[name]) - 1)
        place = f"/v2/{repository}/blobs/uploads/{name}"
        self._say(202, headers={"Location": place, "Range": f"0-{end}"})

    def _commit(self, repository: str, name: str, wanted: str) -> None:
        registry = self.registry
        if digest(registry.uploads[name]) != wanted:
            self._say(400, _error("DIGEST_INVALID"))
        else:
            registry.blobs[repository, wanted] = registry.uploads.pop(name)
            self._say(201, headers={"Docker-Content-Digest": wanted})

    def _body(self, most: int | None = None) -> bytes:
        """Return what was sent, or no more than `most` bytes of it."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline() or b"0", 16):
            if most is not None and len(body) + size >= most:
                return body + self.rfile.read(most - len(body))
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _drop(self) -> None:
        """Read what was sent, so that the connection can be used again."""
        self._body()

    def _say(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _error(code: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode()
