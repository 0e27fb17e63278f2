"""Durations as people type them."""

from __future__ import annotations

import re

from ray_gke.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "": 1}


def seconds(option: str, text: str) -> float:
    """Return `90s`, `15m` or `2h` in seconds; a number alone is seconds.

    Raises UsageError that names the `option`.
    """
    found = re.fullmatch(r"(\d{1,7})([smh]?)", text.strip())
    if not found:
        raise UsageError(
            f"{option}: {text!r} is not a duration", hint="for example 90s, 15m or 2h"
        )
    return int(found[1]) * _UNITS[found[2]]
