"""The plan as JSON, and the schema that documents it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from ray_gke.planning.capacity import Capacity
from ray_gke.reporting.plan_schema import document, schema
from tests.page import example

EXAMPLES = [example.rich(), example.smallest(), example.huge(3)]


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    whole = schema()
    yield "Plan", whole
    yield from whole["$defs"].items()


@pytest.mark.parametrize("capacity", EXAMPLES)
def test_every_plan_satisfies_the_schema(capacity: Capacity) -> None:
    written = json.loads(json.dumps(document(capacity)))
    validator = jsonschema_rs.validator_for(schema())
    assert [str(error) for error in validator.iter_errors(written)] == []


def test_every_type_and_field_is_described() -> None:
    missing = [
        f"{name}.{field}"
        for name, found in objects()
        for field, inner in found["properties"].items()
        if "const" not in inner and len(inner.get("description", "")) < 10
    ]
    assert missing == []
    assert all(found["description"] for _, found in objects())


def test_the_schema_is_closed_and_nothing_is_left_out() -> None:
    for _, found in objects():
        assert found["additionalProperties"] is False
        assert set(found["required"]) == set(found["properties"])


@pytest.mark.parametrize(
    "change",
    [
        {"regoin": "us-central1"},
        {"region": 1},
        {"kind": "Blueprint"},
        {"autoscaling_profile": None},
    ],
)
def test_the_schema_refuses_what_is_no_plan(change: dict[str, Any]) -> None:
    wrong = document(example.smallest()) | change
    assert not jsonschema_rs.validator_for(schema()).is_valid(wrong)


def test_prices_are_numbers_and_unknown_ones_null() -> None:
    pools = {pool["name"]: pool for pool in document(example.rich())["pools"]}
    assert pools["l4-spot-9d10aa"]["price_on_demand"] == 2.0
    assert pools["h100-8-1c22f0"]["price"] is None
