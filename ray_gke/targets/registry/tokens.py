"""Tokens that registries want: asked for once for each scope, and again when refused.

Sources: distribution "Token Authentication Specification", "Token Scope
Documentation", "OAuth2 Token Authentication"; a token without `expires_in` holds for
60 seconds.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from ray_gke.errors import FailedError, RefusedError
from ray_gke.targets.registry.connections import Answer, Connections, is_loopback
from ray_gke.targets.registry.logins import Login, Logins

_LIFE_SECONDS = 60
_EARLY_SECONDS = 10
"""So long before its end a token is not used any more."""
_PAIR = re.compile(r'(\w+)="([^"]*)"')
_CLIENT = "ray-gke"

Scope = tuple[str, ...]


@dataclass(frozen=True)
class _Token:
    header: str = field(repr=False)
    until: float


@dataclass
class Tokens:
    """What to say in the header `Authorization`, for several threads."""

    connections: Connections
    logins: Logins
    _challenges: dict[str, str] = field(default_factory=dict)
    _tokens: dict[tuple[str, Scope], _Token] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock)
    )

    def header(self, host: str, scope: Scope) -> str | None:
        """Return the header for a registry, None before it has asked for any."""
        with self._locks[host]:
            if host not in self._challenges:
                return None
            known = self._tokens.get((host, scope))
            if known is None or known.until < time.monotonic():
                known = self._answer(host, scope)
                self._tokens[host, scope] = known
            return known.header or None

    def refused(self, host: str, scope: Scope, challenge: str) -> None:
        """Take note that a registry answered 401, with this challenge."""
        with self._locks[host]:
            self._challenges[host] = challenge
            self._tokens.pop((host, scope), None)

    def _answer(self, host: str, scope: Scope) -> _Token:
        challenge = self._challenges[host]
        login = self.logins.of(host)
        bearer = re.search(r"\bbearer\s+(.*)", challenge, re.IGNORECASE)
        if bearer:
            return self._token(host, dict(_PAIR.findall(bearer[1])), scope, login)
        # Google's access tokens may change at any time.
        return _Token(login.basic if login else "", time.monotonic() + _LIFE_SECONDS)

    def _token(
        self, host: str, asked: Mapping[str, str], scope: Scope, login: Login | None
    ) -> _Token:
        realm = asked.get("realm", "")
        to = urlsplit(realm)
        if to.scheme != "https" and not (
            to.scheme == "http" and is_loopback(to.netloc)
        ):
            raise FailedError(f"{host} wants a login at {realm[:80]!r}, unencrypted")
        begun = time.monotonic()
        answer = self._ask(realm, asked.get("service", ""), scope, login)
        if answer.status in {400, 401, 403}:
            raise RefusedError(
                f"the registry {host} does not take our login ({answer.status})",
                hint=self.logins.hint(host),
            )
        said = _said(answer)
        token = said.get("token") or said.get("access_token")
        if answer.status != 200 or not token:  # noqa: PLR2004 HTTP's OK
            raise FailedError(
                f"{to.netloc} gives no token for {host} (status {answer.status})",
                hint="try again later",
            )
        life = said.get("expires_in") or _LIFE_SECONDS
        return _Token(f"Bearer {token}", begun + float(life) - _EARLY_SECONDS)

    def _ask(
        self, realm: str, service: str, scope: Scope, login: Login | None
    ) -> Answer:
        if login and login.identity_token:
            form = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": _CLIENT,
                "scope": " ".join(scope),
                "refresh_token": login.identity_token,
            }
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            return self.connections.ask("POST", realm, kind, urlencode(form).encode())
        query = urlencode([("service", service), *(("scope", one) for one in scope)])
        separator = "&" if urlsplit(realm).query else "?"
        headers = {"Authorization": login.basic} if login else {}
        return self.connections.ask("GET", f"{realm}{separator}{query}", headers)


def _said(answer: Answer) -> Mapping[str, Any]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
