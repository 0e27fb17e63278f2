"""The environment in which expressions of people we do not know are evaluated.

Jinja's own sandbox, and bounded by construction: there is no call, no attribute and no
loop; every operator and filter is one of ours or limits the size of its result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import StrictUndefined
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ray_gke.catalog import filters
from ray_gke.catalog.expression_values import bounded, limit

_MOST_BITS = 63


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without anything that reaches out of it, or takes long."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            optimized=False,
            cache_size=0,
            keep_trailing_newline=True,
        )
        self.globals.clear()
        self.filters = dict(filters.FILTERS)
        self.tests = dict(filters.TESTS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Refuse: parameters are plain values."""
        raise TypeError(f"{attribute!r} of {obj!r:.40} cannot be read")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an entry; Jinja would return an attribute where there is none."""
        return obj[argument]

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator, if its result cannot be large."""
        bounded(left)
        bounded(right)
        _GUARDS.get(operator, _numbers)(left, right)
        return bounded(super().call_binop(context, operator, left, right))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _numbers(left: Any, right: Any) -> None:
    if not (_is_number(left) and _is_number(right)):
        raise TypeError("both sides must be numbers")


def _addition(left: Any, right: Any) -> None:
    if _is_number(left) and _is_number(right):
        return
    if type(left) is not type(right):
        raise TypeError("text and numbers are joined by ~, not by +")


def _multiplication(left: Any, right: Any) -> None:
    if isinstance(left, str) and isinstance(right, int):
        limit(len(left) * right)
    elif isinstance(right, str) and isinstance(left, int):
        limit(len(right) * left)
    else:
        _numbers(left, right)


def _power(left: Any, right: Any) -> None:
    _numbers(left, right)
    whole = isinstance(left, int) and isinstance(right, int)
    if whole and abs(left) > 1 and right > _MOST_BITS:
        raise ValueError("the number is too large")


_GUARDS: dict[str, Callable[[Any, Any], None]] = {
    "+": _addition,
    "*": _multiplication,
    "**": _power,
}
