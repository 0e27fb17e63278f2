"""The filters and tests of expressions, each with a result of limited size."""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Callable
from typing import Any

from ray_gke.catalog.expression_values import bounded, limit

TESTS = ("divisibleby", "even", "in", "none", "number", "odd", "string")


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
    texts = [str(entry) for entry in value]
    limit(sum(map(len, texts)) + len(texts) * len(separator))
    return separator.join(texts)


def _replace(value: Any, old: str, new: str) -> str:
    text = _text(value)
    limit(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _round(value: Any, precision: int = 0) -> float:
    return round(float(value), precision)


def _tojson(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


FILTERS: dict[str, Callable[..., Any]] = {
    name: _bounded(function)
    for name, function in {
        "abs": abs,
        "capitalize": lambda value: _text(value).capitalize(),
        "first": lambda value: value[0],
        "float": lambda value: float(value),
        "int": lambda value: int(value),
        "join": _join,
        "last": lambda value: value[-1],
        "length": lambda value: len(value),
        "lower": lambda value: _text(value).lower(),
        "max": lambda value: max(value),
        "min": lambda value: min(value),
        "quote": lambda value: shlex.quote(str(value)),
        "replace": _replace,
        "round": _round,
        "string": lambda value: str(value),
        "tojson": _tojson,
        "trim": lambda value: _text(value).strip(),
        "upper": lambda value: _text(value).upper(),
    }.items()
}
