"""Single requests to the API server, where starting kubectl would take too long."""

from __future__ import annotations

import json
import ssl
import urllib.request
from pathlib import Path
from typing import Any


class ApiClient:
    """Asks as whoever `token` is; an answer of 400 or more is an HTTPError."""

    def __init__(self, url: str, *, ca: Path, token: str) -> None:
        """Remember where to ask; nothing is connected yet."""
        self.url = url
        self._token = token
        self._tls = ssl.create_default_context(cafile=ca)

    def get(self, path: str) -> Any:
        """Return what is at `path`, parsed."""
        return self._ask("GET", path)

    def create(self, path: str, document: object) -> Any:
        """Create an object in the collection at `path`; return it as it then is."""
        body = json.dumps(document).encode()
        return self._ask("POST", path, body, "application/json")

    def apply(self, path: str, text: str, *, manager: str) -> Any:
        """Apply one YAML or JSON document to the object at `path`."""
        kind = "application/apply-patch+yaml"
        query = f"?fieldManager={manager}&force=true"
        return self._ask("PATCH", path + query, text.encode(), kind)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, content_type: str = ""
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(
            self.url + path, data=body, headers=headers, method=method
        )
        with urllib.request.urlopen(request, timeout=30, context=self._tls) as answer:
            return json.load(answer)
