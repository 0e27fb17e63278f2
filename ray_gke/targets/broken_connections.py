"""Why a connection of urllib3's could not be made, or broke."""

from __future__ import annotations

import re
from typing import Any

_WHOSE = re.compile(r"^HTTPS?Connection(Pool)?\(.*?\): ")
_LONGEST = 300


def cause(error: BaseException) -> Any:
    """Return what urllib3 says of it: what it wraps, or the error itself."""
    return getattr(error, "reason", None) or error


def reason(error: BaseException) -> str:
    """Return why a connection failed, on one line, without the connection's name."""
    return " ".join(_WHOSE.sub("", str(cause(error))).split())[:_LONGEST]
