"""HTTP to a Ray cluster's dashboard, with the standard library and the run's token."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, BinaryIO

TERMINAL = ("SUCCEEDED", "FAILED", "STOPPED")
"""Ray's words for a job that has ended."""

_TIMEOUT_SECONDS = 15
_OK = 200


class DashboardError(Exception):
    """The dashboard refused; the text is its own, `code` the HTTP status."""

    def __init__(self, text: str, code: int = 0) -> None:
        """`text` is what the dashboard said."""
        super().__init__(text)
        self.code = code


class DashboardSilent(Exception):
    """The dashboard does not answer, as when it is gone."""


@dataclass(frozen=True)
class Dashboard:
    """One cluster's dashboard at `address`, which is HOST:PORT.

    `token` returns the cluster's token when it is needed; it may raise OSError.
    """

    address: str
    token: Callable[[], str] = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries; empty for a cluster without a token."""
        token = self.token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, *, timeout: float = _TIMEOUT_SECONDS) -> Any:
        """Return the JSON at `path`."""
        return self._ask("GET", path, None, timeout)

    def post(
        self, path: str, body: object, *, timeout: float = _TIMEOUT_SECONDS
    ) -> Any:
        """Send `body` as JSON and return what is answered."""
        return self._ask("POST", path, json.dumps(body), timeout)

    def put(self, path: str, body: object, *, timeout: float = _TIMEOUT_SECONDS) -> Any:
        """Send `body` as JSON and return what is answered."""
        return self._ask("PUT", path, json.dumps(body), timeout)

    def put_file(self, path: str, file: Path, *, timeout: float) -> None:
        """Send the content of `file`; `timeout` is for each part of it."""
        with file.open("rb") as content:
            self._ask("PUT", path, content, timeout, length=file.stat().st_size)

    def delete(self, path: str, *, timeout: float = _TIMEOUT_SECONDS) -> None:
        """Delete what is at `path`."""
        self._ask("DELETE", path, None, timeout)

    def job(self, job_id: str) -> Mapping[str, Any] | None:
        """Return what Ray says of a job, or None while it says nothing."""
        try:
            found: Mapping[str, Any] = self.get(f"/api/jobs/{job_id}")
        except (DashboardError, DashboardSilent):
            return None
        return found

    def _ask(
        self,
        method: str,
        path: str,
        body: str | BinaryIO | None,
        timeout: float,
        *,
        length: int | None = None,
    ) -> Any:
        connection = HTTPConnection(self.address, timeout=timeout)
        size = {} if length is None else {"Content-Length": str(length)}
        kind = {"Content-Type": "application/json"} if length is None else {}
        try:
            connection.request(
                method, path, body=body, headers={**self.headers, **kind, **size}
            )
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, HTTPException) as error:
            raise DashboardSilent(str(error)) from None
        finally:
            connection.close()
        if answer.status != _OK:
            said = text.strip() or f"HTTP {answer.status}"
            raise DashboardError(said, answer.status)
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text
