"""Sending a blob, on a connection of its own.

The length is not told beforehand, so what ends early ends in order: the registry then
tells the upload's address anew, without which Docker's registry cannot take it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from ray_gke.targets.broken_connections import reason
from ray_gke.targets.registry.connections import (
    CONNECT_SECONDS,
    MOST_BYTES,
    READ_SECONDS,
    Answer,
    Cut,
    Headers,
    trusted,
)


def patch(url: str, headers: Headers, chunks: Iterable[bytes]) -> Answer:
    """Send `chunks`, none of them empty. Raises Cut."""
    connection = _connection(url)
    try:
        _send(connection, url, headers, chunks)
        return _answer(connection, url)
    except (OSError, HTTPException) as error:
        raise Cut(reason(error)) from None
    finally:
        connection.close()


def _connection(url: str) -> HTTPConnection:
    to = urlsplit(url)
    host, seconds = to.hostname or "", CONNECT_SECONDS
    if to.scheme == "https":
        return HTTPSConnection(host, to.port, timeout=seconds, context=trusted())
    return HTTPConnection(host, to.port, timeout=seconds)


def _send(
    connection: HTTPConnection, url: str, headers: Headers, chunks: Iterable[bytes]
) -> None:
    to = urlsplit(url)
    connection.putrequest("PATCH", f"{to.path}?{to.query}" if to.query else to.path)
    for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.sock.settimeout(READ_SECONDS)
    try:
        for chunk in chunks:
            connection.send(f"{len(chunk):x}\r\n".encode())
            connection.send(chunk)
            connection.send(b"\r\n")
        connection.send(b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        # It may have answered before it had everything.
        return


def _answer(connection: HTTPConnection, url: str) -> Answer:
    response = connection.getresponse()
    body = response.read(MOST_BYTES)
    headers = {key.lower(): value for key, value in response.getheaders()}
    return Answer(response.status, url, headers, body)
