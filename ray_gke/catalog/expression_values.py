"""What an expression may come to: plain data of a limited size."""

from __future__ import annotations

import math
from typing import Any

MAX_RESULT = 64 * 1024
_LARGEST = 2**63


def bounded(value: Any) -> Any:
    """Return `value`, which must be plain data that is not too large.

    Raises TypeError or ValueError, in words for the user.
    """
    if size(value) > MAX_RESULT:
        raise ValueError(f"the result is larger than {MAX_RESULT:,} characters")
    return value


def limit(length: int) -> None:
    """Raise ValueError when a text of this length would be too large."""
    if length > MAX_RESULT:
        raise ValueError(f"the result is larger than {MAX_RESULT:,} characters")


def size(value: Any) -> int:
    """Return about how many characters the value has when it is written."""
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, int):
        if not -_LARGEST <= value < _LARGEST:
            raise ValueError("the number is too large")
        return 1
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("the number is not finite")
        return 1
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple):
        return 1 + sum(size(entry) for entry in value)
    if isinstance(value, dict):
        return 1 + sum(size(key) + size(entry) for key, entry in value.items())
    raise TypeError(f"a {type(value).__name__} is not plain data")


def as_text(value: Any) -> str:
    """Return the value as it stands inside text: true and false as in YAML."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain_data(value: Any) -> Any:
    """Return the value as YAML could have held it: lists, and text as keys."""
    if isinstance(value, list | tuple):
        return [plain_data(entry) for entry in value]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is not text")
        return {key: plain_data(entry) for key, entry in value.items()}
    return value
