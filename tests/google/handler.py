"""HTTP/1.1 for `GoogleApis`: JSON in, JSON out, connections that stay open."""

from __future__ import annotations

import http.server
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

from tests.google.requests_and_errors import Json, Request

Answer = Callable[[Request, str], tuple[int, Json | str]]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Each answer leaves in one piece and at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, answer: Answer, *about: Any) -> None:
        self._answer = answer
        super().__init__(*about)

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        url = urllib.parse.urlsplit(self.path)
        path, query = urllib.parse.unquote(url.path), urllib.parse.parse_qs(url.query)
        counted = self.headers.get("x-goog-user-project", "")
        asked = Request(self.command, path, query, body, counted)
        try:
            status, told = self._answer(asked, self.headers.get("Authorization", ""))
        except ConnectionError:
            self.close_connection = True
            return
        kind = "text/html" if isinstance(told, str) else "application/json"
        content = (told if isinstance(told, str) else json.dumps(told)).encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_DELETE = do_GET  # noqa: N815 - as they are called

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 as it is called
        pass
