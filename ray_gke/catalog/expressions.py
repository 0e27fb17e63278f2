"""Expressions in text: `{{ parameter }}`, Jinja's language without its statements.

A text that is one expression keeps the type of its value; in any other text the
values take the places of the expressions. Two braces are written as `{{ '{{' }}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.environment import TemplateExpression

from ray_gke.catalog.expression_syntax import (
    ExpressionError,
    Source,
    expression,
    pieces,
)
from ray_gke.catalog.expression_values import (
    MAX_RESULT,
    as_text,
    bounded,
    limit,
    plain_data,
)
from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.sandbox import Sandbox

_MARKS = ("{{", "{%", "{#")
_FAILURES = (
    TemplateError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
    SyntaxError,
)
_SANDBOX = Sandbox()


class OpenParameterError(Exception):
    """An expression needs a parameter that has no value yet."""


@dataclass(frozen=True)
class _Expression:
    names: frozenset[str]
    run: TemplateExpression


def has_expression(text: str) -> bool:
    """Say whether there is anything to evaluate in `text`."""
    return any(mark in text for mark in _MARKS)


def evaluate(
    text: str,
    values: Mapping[str, Any],
    open_names: frozenset[str] = frozenset(),
) -> Any:
    """Return what `text` means with these parameters.

    Raises ExpressionError, or OpenParameterError when it needs one of `open_names`.
    """
    if not has_expression(text):
        return text
    if len(text) > MAX_RESULT:
        message = f"text with expressions is longer than {MAX_RESULT:,} characters"
        raise ExpressionError(message, "put it in a file")
    parts = [
        piece if isinstance(piece, str) else _value(piece, values, open_names)
        for piece in _parsed(text)
    ]
    if len(parts) == 1:
        return _plain(parts[0])
    texts = [as_text(part) for part in parts]
    try:
        limit(sum(map(len, texts)))
    except ValueError as error:
        raise ExpressionError(str(error), "make it smaller") from None
    return "".join(texts)


def _plain(value: Any) -> Any:
    try:
        return plain_data(value)
    except TypeError as error:
        raise ExpressionError(str(error), "put it in quotes") from None


@lru_cache(maxsize=512)
def _parsed(text: str) -> tuple[str | Source, ...]:
    return tuple(pieces(_SANDBOX, text))


def _value(
    source: Source, values: Mapping[str, Any], open_names: frozenset[str]
) -> Any:
    compiled = _compiled(source)
    for name in sorted(compiled.names):
        if name not in values and name not in open_names:
            message = f"there is no parameter {name!r}"
            raise ExpressionError(message, suggestion(name, {*values, *open_names}))
    if compiled.names & open_names:
        raise OpenParameterError
    try:
        return bounded(compiled.run(dict(values)))
    except _FAILURES as error:
        message = f"{{{{ {source.text[:80]} }}}} cannot be evaluated: {error}"
        raise ExpressionError(message, "check the types and sizes in it") from None


@lru_cache(maxsize=512)
def _compiled(source: Source) -> _Expression:
    found = expression(_SANDBOX, source)
    names = frozenset(node.name for node in found.find_all(nodes.Name))
    # Jinja would join Python's own words for values by `~`.
    for joined in list(found.find_all(nodes.Concat)):
        joined.nodes = [
            nodes.Filter(node, "string", [], [], None, None, lineno=1)
            for node in joined.nodes
        ]
    result = nodes.Assign(nodes.Name("result", "store"), found.nodes[0], lineno=1)
    try:
        template = _SANDBOX.from_string(nodes.Template([result], lineno=1))
    except _FAILURES as error:
        raise ExpressionError(f"not an expression: {error}", "shorten it") from None
    return _Expression(names, TemplateExpression(template, undefined_to_none=False))
