"""The plan as JSON, and the JSON Schema that documents it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ray_gke.planning import capacity as types
from ray_gke.planning.capacity import Capacity
from ray_gke.reporting import cloud_changes

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_HEAD = {"apiVersion": "ray-gke/v1", "kind": "Plan"}


def document(capacity: Capacity, pending: Any = None) -> dict[str, Any]:
    """Return the plan as what JSON can say, field for field; prices are numbers.

    `pending` is what would change where the platform is up.
    """
    changes = cloud_changes.document(pending) if pending else None
    return {**_HEAD, **_as_data(capacity), "changes": changes}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `document`: closed, all described."""
    found = TypeAdapter(Capacity).json_schema(
        mode="serialization", schema_generator=_NumbersForPrices
    )
    definitions = {
        name: _documented(name, definition)
        for name, definition in found.pop("$defs").items()
    }
    plan = _documented("Capacity", found)
    head = {name: {"const": value} for name, value in _HEAD.items()}
    plan["properties"] = head | plan["properties"]
    plan["properties"]["changes"] = cloud_changes.schema()
    plan["required"] = [*_HEAD, *plan["required"], "changes"]
    plan["description"] = " ".join((types.__doc__ or "").split())
    return {"$schema": _DRAFT, **plan, "title": "Plan", "$defs": definitions}


class _NumbersForPrices(GenerateJsonSchema):
    def decimal_schema(
        self,
        schema: core_schema.DecimalSchema,  # noqa: ARG002 pydantic gives it
    ) -> JsonSchemaValue:
        """Return a number: programs calculate with prices."""
        return {"type": "number"}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _as_data(value: Any) -> Any:
    if isinstance(value, str | int | None):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _as_data(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, Mapping):
        return {key: _as_data(value[key]) for key in sorted(value)}
    if isinstance(value, tuple):
        return [_as_data(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def _documented(name: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition of a class, closed, with what its docstring says."""
    text = " ".join((getattr(types, name).__doc__ or "").split())
    properties = {
        field: {**inner, **_about(field, text)}
        for field, inner in definition["properties"].items()
    }
    return {
        **definition,
        "description": text,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _about(field: str, text: str) -> dict[str, str]:
    said = " ".join(_sentences_about(field, text))
    return {"description": said} if said else {}


def _sentences_about(field: str, text: str) -> Iterator[str]:
    """Give the sentences of a docstring that name the field in backquotes."""
    for sentence in re.split(r"(?<=\.) (?=[A-Z`])", text):
        if f"`{field}`" in sentence:
            yield sentence
