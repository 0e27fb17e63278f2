"""Only registries on this machine are asked without encryption; certificates count."""

from __future__ import annotations

import http.server
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from ray_gke.errors import FailedError
from ray_gke.targets.registry import sending
from ray_gke.targets.registry.connections import Connections, Cut, address, trusted
from tests.cluster.certificates import Authority
from tests.loopback_server import LoopbackServer


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    do_PATCH = do_GET  # noqa: N815 http.server's name

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def encrypted(authority: Authority) -> Iterator[str]:
    """A server that only our own authority has signed for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.for_server("registry", ["127.0.0.1"]))
    with LoopbackServer(_Handler) as server:
        plain = server._server.socket
        server._server.socket = context.wrap_socket(plain, server_side=True)
        trusted.cache_clear()
        yield server.url.replace("http://", "https://")
        trusted.cache_clear()


def test_an_authority_of_ones_own_is_named_in_ssl_cert_file(
    encrypted: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    assert Connections().ask("GET", f"{encrypted}/", {}).body == b"OK"
    assert sending.patch(f"{encrypted}/", {}, []).body == b"OK"


def test_nobody_else_is_trusted(encrypted: str) -> None:
    with pytest.raises(FailedError, match="cannot be trusted") as e:
        Connections().ask("GET", f"{encrypted}/", {})
    assert "SSL_CERT_FILE" in (e.value.problems[0].hint or "")
    with pytest.raises(Cut, match="CERTIFICATE_VERIFY_FAILED"):
        sending.patch(f"{encrypted}/", {}, [b"secret"])


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost:5000", "http://localhost:5000"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("docker.io", "https://registry-1.docker.io"),
        ("quay.io", "https://quay.io"),
        ("localhost.example.com", "https://localhost.example.com"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
    ],
)
def test_where_the_api_of_a_registry_is(host: str, url: str) -> None:
    assert address(host) == url
