"""The filters and tests of expressions, each with a result of limited size."""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Callable
from typing import Any

from ray_gke.catalog.expression_values import as_text, bounded, limit


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def apply(value: Any, *arguments: Any, **named: Any) -> Any:
        for given in (value, *arguments, *named.values()):
            bounded(given)
        return bounded(function(value, *arguments, **named))

    return apply


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]} is not text")
    return value


def _join(value: Any, separator: str = "") -> str:
    texts = [as_text(entry) for entry in value]
    limit(sum(map(len, texts)) + len(texts) * len(separator))
    return separator.join(texts)


def _replace(value: Any, old: str, new: str) -> str:
    text = _text(value)
    limit(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _round(value: Any, precision: int = 0) -> float:
    return round(float(value), precision)


def _rest(value: Any, divisor: int) -> int:
    # `%` on text would format it, to any width.
    if not isinstance(value, int):
        raise TypeError(f"{str(value)[:40]} is not a whole number")
    return value % divisor


def _tojson(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "capitalize": lambda value: _text(value).capitalize(),
    "first": lambda value: value[0],
    "float": float,
    "int": int,
    "join": _join,
    "last": lambda value: value[-1],
    "length": len,
    "lower": lambda value: _text(value).lower(),
    "max": max,
    "min": min,
    "quote": lambda value: shlex.quote(as_text(value)),
    "replace": _replace,
    "round": _round,
    "string": as_text,
    "tojson": _tojson,
    "trim": lambda value: _text(value).strip(),
    "upper": lambda value: _text(value).upper(),
}
FILTERS = {name: _bounded(function) for name, function in _FUNCTIONS.items()}
TESTS: dict[str, Callable[[Any], bool]] = {
    "even": lambda value: _rest(value, 2) == 0,
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float),
    "odd": lambda value: _rest(value, 2) == 1,
    "string": lambda value: isinstance(value, str),
}
