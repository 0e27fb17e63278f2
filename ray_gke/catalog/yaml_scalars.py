"""Plain scalars by the core schema of YAML 1.2.

Only `true`, `false`, `null` and numbers have a type of their own. What YAML 1.1 takes
for more (`yes`, `on`, `12:30`, dates) stays the text that the user wrote.

Source: YAML 1.2.2, section 10.3.2.
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, bool | None] = dict.fromkeys(["", "~", "null", "Null", "NULL"])
_WORDS |= dict.fromkeys(["true", "True", "TRUE"], True)
_WORDS |= dict.fromkeys(["false", "False", "FALSE"], False)
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAY_BE_TYPED = frozenset("~+-.0123456789nNtTfF")
_BASES = {"0o": 8, "0x": 16}


def plain(text: str) -> Scalar:
    """Return the value of an unquoted scalar.

    Raises ValueError for a number that no field can hold.
    """
    if text and text[0] not in _MAY_BE_TYPED:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _finite(float(text), text)
    if _NOT_FINITE.fullmatch(text):
        return _finite(math.inf, text)
    return text


def tagged(tag: str, text: str) -> Scalar:
    """Return the value of a scalar with one of the core tags.

    Raises KeyError for any other tag, ValueError when the text does not fit it.
    """
    kind = _TAGS[tag]
    if kind is str:
        return text
    value = plain(text)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{text[:40]!r} does not fit the tag {tag.rpartition(':')[2]}")
    return value


_CORE = "tag:yaml.org,2002:"
_TAGS: dict[str, type] = {
    "!": str,
    f"{_CORE}str": str,
    f"{_CORE}int": int,
    f"{_CORE}float": float,
    f"{_CORE}bool": bool,
    f"{_CORE}null": type(None),
}


def _integer(text: str) -> int:
    # int() takes quadratic time on a long text.
    if len(text) > 60:  # noqa: PLR2004
        raise ValueError(f"the number {text[:20]}… is too large")
    base = _BASES.get(text[:2], 10)
    value = int(text[2:] if base != 10 else text, base)  # noqa: PLR2004
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"the number {text} is too large")
    return value


def _finite(value: float, text: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} is not a finite number")
    return value
