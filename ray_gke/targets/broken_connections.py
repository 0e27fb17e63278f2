"""Why a connection of urllib3's, or of requests', could not be made, or broke."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

_WHOSE = re.compile(r"^HTTPS?Connection(Pool)?\(.*?\): ")
_LONGEST = 300


def cause(error: BaseException) -> Any:
    """Return what urllib3 says of it: what it wraps, or the error itself."""
    return getattr(error, "reason", None) or error


def reason(error: BaseException) -> str:
    """Return why a connection failed, on one line, without the connection's name."""
    return " ".join(_WHOSE.sub("", str(cause(error))).split())[:_LONGEST]


def of_requests(error: Any) -> tuple[SplitResult, str]:
    """Return what requests has asked, empty where it does not tell, and the reason."""
    request = getattr(error, "request", None)
    url = request.url if request is not None else ""
    return urlsplit(url), reason(inner(error))


def inner(error: Any) -> Any:
    """Return what an error wraps: that of requests the one of urllib3's connection."""
    return error.args[0] if getattr(error, "args", None) else error
