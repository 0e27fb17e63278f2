"""Google's token endpoint on this machine, for Application Default Credentials.

A credentials file of a service account says where tokens are had, so google.auth in the
process under test asks here, by its own code.
"""

from __future__ import annotations

import base64
import functools
import http.server
import json
import urllib.parse
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.loopback_server import LoopbackServer

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_PROJECT = "my-project"
_ACCOUNT = f"deployer@{_PROJECT}.iam.gserviceaccount.com"
_EXPIRED_LOGIN = "reauth related error (invalid_rapt)"
_HOUR = 3600

Answer = tuple[HTTPStatus, dict[str, object]]


class Identity(LoopbackServer):
    """Answers with `token`, good for `expires_in` seconds, while it is open.

    google.auth takes a token for expired some minutes before it is: with 1 second, it
    asks each time. `requests` counts what was asked.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.expires_in = _HOUR
        self.requests = 0
        self._refusal = ""
        super().__init__(functools.partial(_Handler, self))

    def credentials_file(self, folder: Path) -> Path:
        """Write a file for GOOGLE_APPLICATION_CREDENTIALS, and return it."""
        file = folder / "service-account.json"
        file.touch(mode=0o600)
        about = {
            "type": "service_account",
            "project_id": _PROJECT,
            "private_key_id": "1",
            "private_key": _private_key(),
            "client_email": _ACCOUNT,
            "client_id": "1",
            "token_uri": f"{self.url}/token",
            "universe_domain": "googleapis.com",
        }
        file.write_text(json.dumps(about))
        return file

    def refuse(self, reason: str = _EXPIRED_LOGIN) -> None:
        """Give no tokens, as to somebody whose login has expired."""
        self._refusal = reason

    def accept(self) -> None:
        """Give tokens again."""
        self._refusal = ""

    def answer(self, asked: dict[str, list[str]]) -> Answer:
        """Return status and body for the fields of a request, in Google's words."""
        self.requests += 1
        if self._refusal:
            return _error("invalid_grant", self._refusal)
        if asked.get("grant_type") != [_GRANT]:
            return _error("unsupported_grant_type", f"Invalid grant_type: {asked}")
        if not _claims(asked["assertion"][0]).get("scope"):
            return _error(
                "invalid_scope", "Invalid OAuth scope or ID token audience provided."
            )
        return HTTPStatus.OK, {
            "access_token": self.token,
            "expires_in": self.expires_in,
            "token_type": "Bearer",
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, identity: Identity, *about: Any) -> None:
        self._identity = identity
        super().__init__(*about)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        asked = urllib.parse.parse_qs(self.rfile.read(length).decode())
        status, answer = self._identity.answer(asked)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 as it is called
        pass


def _error(name: str, description: str) -> Answer:
    return HTTPStatus.BAD_REQUEST, {"error": name, "error_description": description}


def _claims(assertion: str) -> dict[str, Any]:
    """Return what a signed request claims; whether its signature fits is not looked."""
    payload = assertion.split(".")[1]
    padded = payload + "=" * (-len(payload) % 4)
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
    return claims


@functools.cache
def _private_key() -> str:
    """Return a key, one for all tests: making it takes a moment."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
