from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ray_gke.catalog.assignments import assign
from ray_gke.catalog.parameters import Parameter
from ray_gke.errors import UsageError


def _parameter(**declared: Any) -> Parameter:
    return Parameter.model_validate({"description": "Any", **declared})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "5", "5"),
        ("string", "", ""),
        ("string", " a=b ", " a=b "),
        ("integer", "5", 5),
        ("integer", "-5", -5),
        ("number", "5", 5),
        ("number", "0.5", 0.5),
        ("number", "1e3", 1000.0),
        ("boolean", "true", True),
        ("boolean", "false", False),
    ],
)
def test_texts_of_the_command_line(kind: str, text: str, value: Any) -> None:
    found = assign({"p": _parameter(type=kind)}, {"p": text})["p"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        ({"type": "boolean"}, "yes"),
        ({"type": "boolean"}, "1"),
        ({"type": "integer"}, "5.0"),
        ({"type": "integer"}, 5.0),
        ({"type": "integer"}, True),
        ({"type": "number"}, "nan"),
        ({"type": "number"}, "1e999"),
        ({"type": "string"}, 5),
        ({"type": "string"}, "x" * 10_001),
        ({"type": "string", "enum": ["a", "b"]}, "c"),
        ({"type": "integer", "enum": [1, 2]}, "3"),
        ({"type": "string", "pattern": "[a-z]+"}, "a\n"),
        ({"type": "string", "pattern": "a|b"}, "ab"),
        ({"type": "number", "minimum": 0.5}, "0.4"),
    ],
)
def test_what_does_not_fit(declared: dict[str, Any], given: Any) -> None:
    with pytest.raises(UsageError) as caught:
        assign({"p": _parameter(**declared)}, {"p": given})
    assert caught.value.problems[0].hint


def test_all_that_is_wrong_at_once() -> None:
    parameters = {"a": _parameter(type="integer"), "b": _parameter(type="boolean")}
    with pytest.raises(UsageError) as caught:
        assign(parameters, {"a": "x", "b": "y", "c": "z"})
    assert len(caught.value.problems) == 3


def test_patterns_take_linear_time() -> None:
    parameter = _parameter(type="string", pattern="(a+)+b")
    started = time.monotonic()
    with pytest.raises(UsageError):
        assign({"p": parameter}, {"p": "a" * 10_000})
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("given", "located"),
    [
        ("data/rows.csv", "/srv/team/data/rows.csv"),
        ("../rows.csv", "/srv/rows.csv"),
        ("/rows.csv", "/rows.csv"),
        ("gs://bucket/rows.csv", "gs://bucket/rows.csv"),
        ("", ""),
    ],
)
def test_a_relative_path_is_meant_where_its_user_is(given: str, located: str) -> None:
    rows = _parameter(type="path")
    values = assign({"rows": rows}, {"rows": given}, base=Path("/srv/team"))
    assert values == {"rows": located}
