"""JSON Schemas (draft 2020-12) of the files, for editors."""

from __future__ import annotations

from typing import Any

from ray_gke.catalog.blueprint import Blueprint
from ray_gke.catalog.platform import PlatformFile

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_EXPRESSION = {"type": "string", "pattern": r"\{\{"}
_ABOUT = ("title", "description", "default")
# Expressions are evaluated in spec alone.
_LITERAL = frozenset({"Blueprint", "Metadata", "Parameter"})


def blueprint() -> dict[str, Any]:
    """Return the schema of blueprint.yaml."""
    schema = Blueprint.model_json_schema()
    for name, definition in schema["$defs"].items():
        if name not in _LITERAL:
            _allow_expressions(definition)
    return {"$schema": _DRAFT, **_closed(schema)}


def platform() -> dict[str, Any]:
    """Return the schema of ray-gke.yaml."""
    return {"$schema": _DRAFT, **_closed(PlatformFile.model_json_schema())}


def _closed(schema: Any) -> Any:
    """Return the schema with no key but those that a pattern of keys allows."""
    if isinstance(schema, list):
        return [_closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    end = {"additionalProperties": False} if "patternProperties" in schema else {}
    return {key: _closed(inner) for key, inner in schema.items()} | end


def _allow_expressions(schema: dict[str, Any]) -> None:
    """Let every value inside of the schema be an expression instead."""
    for key in ("properties", "patternProperties"):
        for name, inner in schema.get(key, {}).items():
            schema[key][name] = _or_expression(inner)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = _or_expression(schema[key])


def _or_expression(schema: dict[str, Any]) -> dict[str, Any]:
    _allow_expressions(schema)
    for option in schema.get("anyOf", ()):
        _allow_expressions(option)
    about = {key: schema.pop(key) for key in _ABOUT if key in schema}
    options = schema.pop("anyOf", [])
    if schema:
        options.append(schema)
    # What may be anything may be an expression already.
    return about | ({"anyOf": [*options, _EXPRESSION]} if options else {})
