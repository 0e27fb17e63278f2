"""HTTP to a cluster's dashboard, with the standard library and the run's token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

_TIMEOUT_SECONDS = 15
_OK = 200


class DashboardError(Exception):
    """The dashboard refused; the text is its own."""


class DashboardSilent(Exception):
    """The dashboard does not answer, as when it is gone."""


@dataclass(frozen=True)
class Dashboard:
    """One cluster's dashboard at `address`, which is HOST:PORT."""

    address: str
    token: Path

    def get(self, path: str, *, timeout: float = _TIMEOUT_SECONDS) -> Any:
        """Return the JSON at `path`."""
        return self._ask("GET", path, None, timeout)

    def post(
        self, path: str, body: object, *, timeout: float = _TIMEOUT_SECONDS
    ) -> Any:
        """Send `body` as JSON and return what is answered."""
        return self._ask("POST", path, body, timeout)

    def put(self, path: str, body: object, *, timeout: float = _TIMEOUT_SECONDS) -> Any:
        """Send `body` as JSON and return what is answered."""
        return self._ask("PUT", path, body, timeout)

    def delete(self, path: str, *, timeout: float = _TIMEOUT_SECONDS) -> None:
        """Delete what is at `path`."""
        self._ask("DELETE", path, None, timeout)

    def _ask(self, method: str, path: str, body: object, timeout: float) -> Any:
        connection = HTTPConnection(self.address, timeout=timeout)
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={
                    "Authorization": f"Bearer {self.token.read_text().strip()}",
                    "Content-Type": "application/json",
                },
            )
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise DashboardSilent(str(error)) from None
        finally:
            connection.close()
        if answer.status != _OK:
            raise DashboardError(text.strip() or f"HTTP {answer.status}")
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text
