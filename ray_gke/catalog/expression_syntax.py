"""Which expressions are allowed: a list of what may stand in one, and how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, nodes

from ray_gke.catalog.filters import FILTERS, TESTS
from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.sandbox import Sandbox

MAX_LENGTH = 1000
_MAX_TOKENS = 200
_MAX_NESTING = 20
_MAX_DEPTH = 40
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_ALLOWED = (
    nodes.And,
    nodes.BinExpr,
    nodes.Compare,
    nodes.Concat,
    nodes.CondExpr,
    nodes.Const,
    nodes.Dict,
    nodes.Filter,
    nodes.Getitem,
    nodes.Keyword,
    nodes.List,
    nodes.Name,
    nodes.Operand,
    nodes.Or,
    nodes.Pair,
    nodes.Slice,
    nodes.Test,
    nodes.Tuple,
    nodes.UnaryExpr,
)
_LITERALLY = "write \"{{ '%s' }}\" where the text itself is meant"


class ExpressionError(Exception):
    """An expression is wrong; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        """`message` says what is wrong with it."""
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Source:
    """The text between `{{` and `}}`."""

    text: str


def pieces(sandbox: Sandbox, text: str) -> Iterator[str | Source]:
    """Yield the plain text and the expressions that `text` consists of.

    Raises ExpressionError for statements, comments, and what is too long.
    """
    collected: list[str] | None = None
    tokens = 0
    nesting = 0
    for _, kind, value in _lexed(sandbox, text):
        if kind == "data":
            yield value
        elif kind == "variable_begin":
            collected, tokens, nesting = [], 0, 0
        elif kind == "variable_end" and collected is not None:
            yield _source(collected)
            collected = None
        elif collected is None:
            _refuse_statement(text)
        else:
            collected.append(value)
            tokens += kind != "whitespace"
            nesting += (value in _OPENING) - (value in _CLOSING)
            _refuse_size(tokens, nesting)
    if collected is not None:
        raise ExpressionError("{{ is not closed", _LITERALLY % "{{")


def _source(collected: list[str]) -> Source:
    text = "".join(collected).strip()
    if not text:
        raise ExpressionError("there is nothing in {{ }}", _LITERALLY % "{{")
    if len(text) > MAX_LENGTH:
        message = f"the expression is longer than {MAX_LENGTH} characters"
        raise ExpressionError(message, "shorten it")
    return Source(text)


def _lexed(sandbox: Sandbox, text: str) -> Iterator[tuple[int, str, str]]:
    try:
        yield from sandbox.lex(text)
    except TemplateSyntaxError as error:
        if "{{" not in text:
            _refuse_statement(text)
        message = f"not an expression: {error.message}"
        raise ExpressionError(message, "check quotes and brackets") from None


def _refuse_statement(text: str) -> None:
    mark = "{%" if "{%" in text else "{#"
    what = "statements" if mark == "{%" else "comments"
    message = f"{mark} begins a template's {what}, and only {{{{ }}}} is allowed"
    raise ExpressionError(message, _LITERALLY % mark)


def _refuse_size(tokens: int, nesting: int) -> None:
    if tokens > _MAX_TOKENS or nesting > _MAX_NESTING:
        raise ExpressionError("the expression is too long or too nested", "shorten it")


def expression(sandbox: Sandbox, source: Source) -> nodes.Output:
    """Return the parsed expression in its frame; everything in it is allowed.

    Raises ExpressionError otherwise.
    """
    try:
        output = sandbox.parse(f"{{{{ {source.text} }}}}").body[0]
    except (TemplateSyntaxError, RecursionError) as error:
        message = f"not an expression: {getattr(error, 'message', 'too nested')}"
        raise ExpressionError(message, 'for example "{{ count * 2 }}"') from None
    assert isinstance(output, nodes.Output)
    _check(output.nodes[0])
    return output


def _check(root: nodes.Node) -> None:
    level = [root]
    for _ in range(_MAX_DEPTH):
        for node in level:
            _check_node(node)
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise ExpressionError("the expression is too nested", "shorten it")


def _check_node(node: nodes.Node) -> None:
    if isinstance(node, nodes.Getattr):
        hint = "for text there are filters, such as {{ name | upper }}"
        raise ExpressionError(f"the attribute .{node.attr} cannot be read", hint)
    if isinstance(node, nodes.Call):
        hint = f"use a filter with |: {', '.join(sorted(FILTERS))}"
        raise ExpressionError("nothing can be called", hint)
    if not isinstance(node, _ALLOWED):
        message = f"{type(node).__name__} is not allowed in an expression"
        raise ExpressionError(message, 'for example "{{ count * 2 }}"')
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        message = f"unknown filter {node.name!r}"
        raise ExpressionError(message, suggestion(node.name, FILTERS))
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        message = f"unknown test {node.name!r}"
        raise ExpressionError(message, suggestion(node.name, TESTS))
