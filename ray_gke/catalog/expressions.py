"""Expressions in text: `{{ parameter }}`, Jinja's language without its statements.

A text that is one expression keeps the type of its value; in any other text the
expressions' values take their place. Two braces are written as `{{ '{{' }}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.environment import TemplateExpression

from ray_gke.catalog.expression_syntax import check, pieces
from ray_gke.catalog.expression_values import bounded, limit, plain_data
from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.sandbox import Sandbox

MARKS = ("{{", "{%", "{#")
_FAILURES = (
    TemplateError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
    SyntaxError,
)


class ExpressionError(Exception):
    """An expression is wrong; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class OpenParameterError(Exception):
    """An expression needs a parameter that has no value yet."""


@dataclass(frozen=True)
class _Expression:
    source: str
    names: tuple[str, ...]
    run: TemplateExpression


def evaluate(text: str, values: Mapping[str, Any], open_names: frozenset[str]) -> Any:
    """Return what `text` means with these parameters.

    Raises ExpressionError, or OpenParameterError when it needs one of `open_names`.
    """
    if not any(mark in text for mark in MARKS):
        return text
    parts = [
        piece if isinstance(piece, str) else _value(piece, values, open_names)
        for piece in _parsed(text)
    ]
"""
