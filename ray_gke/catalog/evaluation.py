"""Expressions in all text values of a file's data; keys are never evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray_gke.catalog.expression_syntax import ExpressionError
from ray_gke.catalog.expression_values import size
from ray_gke.catalog.expressions import OpenParameterError, evaluate, has_expression
from ray_gke.catalog.validation import Where
from ray_gke.catalog.yaml_values import Steps
from ray_gke.errors import Problem

MAX_EXPRESSIONS = 1000
_MAX_TOTAL = 2 * 2**20


class Unknown:
    """Stands for a value that is not known; no model accepts it."""


class Evaluation:
    """One pass over the data of one file; `problems` and `unknown` grow meanwhile."""

    def __init__(
        self,
        values: Mapping[str, Any],
        open_names: frozenset[str],
        where: Where,
    ) -> None:
        """Evaluate with these parameters; `open_names` have no value yet."""
        self.problems: list[Problem] = []
        self.unknown: set[Steps] = set()
        self._values = values
        self._open = open_names
        self._where = where
        self._expressions = 0
        self._total = 0
        self._ended = False

    def of(self, data: Any, path: Steps = ()) -> Any:
        """Return the data with all its expressions evaluated."""
        if isinstance(data, dict):
            return {key: self.of(value, (*path, key)) for key, value in data.items()}
        if isinstance(data, list):
            return [self.of(value, (*path, i)) for i, value in enumerate(data)]
        if isinstance(data, str) and has_expression(data):
            return self._text(data, path)
        return data

    def _text(self, text: str, path: Steps) -> Any:
        try:
            self._spend(text)
            value = evaluate(text, self._values, self._open)
            self._total += size(value)
        except ExpressionError as error:
            problem = Problem(error.message, self._where(path), error.hint)
            self.problems.append(problem)
        except OpenParameterError:
            pass
        else:
            return value
        self.unknown.add(path)
        return Unknown()

    def _spend(self, text: str) -> None:
        if self._ended:
            raise OpenParameterError
        self._expressions += max(1, text.count("{{"))
        self._ended = self._expressions > MAX_EXPRESSIONS or self._total > _MAX_TOTAL
        if self._ended:
            message = "the expressions of this file are too many, or too large together"
            hint = f"at most {MAX_EXPRESSIONS} expressions, {_MAX_TOTAL:,} characters"
            raise ExpressionError(message, hint)
