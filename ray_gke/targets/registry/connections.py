"""HTTP to registries: encrypted, patient with what passes, never without end.

Only registries on this machine are asked without encryption.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ray_gke.errors import FailedError, InterruptedRun
from ray_gke.gke.image_names import DOCKER_HUB
from ray_gke.targets.broken_connections import reason

if TYPE_CHECKING:
    import ssl

    import urllib3

ATTEMPTS = 6
PAUSE_SECONDS = 0.25
"""Before the second attempt; it doubles each time."""
MOST_BYTES = 2**22
"""Of an answer that is read whole: registries take manifests up to 4 MiB."""
PASSES = frozenset({408, 429, 500, 502, 503, 504})
"""Answers after which the same may succeed."""

_LONGEST_PAUSE_SECONDS = 30.0
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
_SECONDS_OF = {"PUT": 600.0, "DELETE": 5.0}
"""A registry that has all of a large blob may look at all of it once more; and whoever
takes an upload back wants to end, and does not wait for long."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_API_HOSTS = {DOCKER_HUB: "registry-1.docker.io"}

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Patience:
    """How often a request is made, and how long connecting to a registry may take."""

    attempts: int
    connect_seconds: float


COPYING = Patience(ATTEMPTS, CONNECT_SECONDS)
LOOKING = Patience(attempts=2, connect_seconds=3.0)
"""For whoever can do without the answer, and is waited for."""


class Cut(Exception):
    """The connection broke, or could not be made; it may work the next time."""


@dataclass(frozen=True)
class Answer:
    """What a registry said; the names of `headers` are in lower case."""

    status: int
    url: str
    headers: Headers
    body: bytes = b""

    def location(self) -> str:
        """Return where it sends us."""
        return urljoin(self.url, self.headers.get("location", ""))


def is_loopback(host: str) -> bool:
    """Tell whether a host, with its port or without, is this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def address(host: str) -> str:
    """Return where the API of a registry is."""
    scheme = "http" if is_loopback(host) else "https"
    return f"{scheme}://{_API_HOSTS.get(host, host)}"


@dataclass(frozen=True)
class Connections:
    """Those to all registries, for several threads. `stop` ends what waits."""

    stop: threading.Event = field(default_factory=threading.Event)
    patience: Patience = COPYING
    _read: set[urllib3.BaseHTTPResponse] = field(default_factory=set)

    def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None
    ) -> Answer:
        """Return the answer to a small request, asked again when that may help.

        Raises FailedError when the registry cannot be reached.
        """
        attempts = self.patience.attempts
        for attempt in range(attempts):
            self.check()
            last = attempt == attempts - 1
            try:
                answer = self.once(method, url, headers, body)
            except Cut as cut:
                if last:
                    raise unreachable(url, cut) from None
                self.pause(attempt)
                continue
            if answer.status not in PASSES or last:
                return answer
            self.pause(attempt, answer.headers.get("retry-after", ""))
        raise AssertionError

    def once(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: bytes | None = None,
    ) -> Answer:
        """Return the answer. Raises Cut."""
        import urllib3

        response = self.open(method, url, headers, body)
        try:
            read = response.read(MOST_BYTES + 1, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            response.close()
            raise Cut(reason(error)) from None
        if len(read) > MOST_BYTES:
            response.close()
            raise FailedError(f"{url}: the answer is larger than {MOST_BYTES} bytes")
        response.release_conn()
        return answer_of(response, url, read)

    def open(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: bytes | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Return a response whose body was not read yet. Raises Cut.

        Redirects of what reads are followed; our login goes to no other host.
        """
        for _ in range(_MOST_REDIRECTS):
            response = self._send(method, url, headers, body)
            reads = method in {"GET", "HEAD"}
            if not (reads and response.status in _REDIRECTS):
                return response
            response.drain_conn()
            response.release_conn()
            there = answer_of(response, url).location()
            headers = _for_redirect(headers, url, there)
            url = there
        raise FailedError(f"{_host(url)} sends us on again and again")

    @contextmanager
    def reading(self, response: urllib3.BaseHTTPResponse) -> Iterator[None]:
        """Close a response after it was read, or in the middle."""
        self._read.add(response)
        try:
            yield
        finally:
            self._read.discard(response)
            # One that was read to its end is back in the pool already.
            response.close()

    def hang_up(self) -> None:
        """End all that is being read; whoever waits for it gets Cut."""
        for response in tuple(self._read):
            with suppress(RuntimeError, ValueError, OSError):
                response.shutdown()

    def pause(self, attempt: int, retry_after: str = "") -> None:
        """Wait before the next attempt. Raises InterruptedRun."""
        wanted = float(retry_after) if retry_after.isdecimal() else 0.0
        seconds = max(wanted, PAUSE_SECONDS * 2**attempt)
        self.stop.wait(min(seconds, _LONGEST_PAUSE_SECONDS))
        self.check()

    def check(self) -> None:
        """Raise InterruptedRun when all has to end."""
        if self.stop.is_set():
            raise InterruptedRun("interrupted")

    def _send(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: bytes | None,
    ) -> urllib3.BaseHTTPResponse:
        import urllib3

        read = _SECONDS_OF.get(method, READ_SECONDS)
        try:
            return self._pool.request(
                method,
                url,
                body=body,
                headers=dict(headers),
                timeout=urllib3.Timeout(self.patience.connect_seconds, read),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise _not_trusted(url, error) from None
            raise Cut(reason(error)) from None

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        import urllib3

        return urllib3.PoolManager(maxsize=32, ssl_context=trusted())


@cache
def trusted() -> ssl.SSLContext:
    """Return what checks certificates: OpenSSL's authorities, or SSL_CERT_FILE's."""
    import ssl

    return ssl.create_default_context()


def answer_of(
    response: urllib3.BaseHTTPResponse, url: str, body: bytes = b""
) -> Answer:
    """Return status and headers of a response to a question to `url`."""
    headers = {key.lower(): value for key, value in response.headers.items()}
    return Answer(response.status, url, headers, body)


def same_host(one: str, other: str) -> bool:
    """Tell whether two addresses are of the same server."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.netloc) == (second.scheme, second.netloc)


def unreachable(url: str, why: object) -> FailedError:
    """Return the error for a registry that does not answer."""
    return FailedError(
        f"the registry {_host(url)} does not answer: {why}",
        hint="run the command again; what has been copied is not copied again",
    )


def _for_redirect(headers: Headers, here: str, there: str) -> Headers:
    scheme, host = urlsplit(there).scheme, urlsplit(there).netloc
    if scheme != "https" and not (scheme == "http" and is_loopback(host)):
        raise FailedError(f"{_host(here)} sends us to {scheme}://{host}, unencrypted")
    if same_host(here, there):
        return headers
    return {k: v for k, v in headers.items() if k.lower() != "authorization"}


def _not_trusted(url: str, error: BaseException) -> FailedError:
    return FailedError(
        f"the registry {_host(url)} cannot be trusted: {reason(error)}",
        hint="if its certificate is of an authority of your own, name a file with that "
        "in SSL_CERT_FILE",
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc
