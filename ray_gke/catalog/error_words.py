"""What pydantic found, said in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ray_gke.catalog import fields
from ray_gke.catalog.faults import FAULT
from ray_gke.catalog.nearest import nearest, suggestion
from ray_gke.catalog.yaml_values import Steps

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_LIMITS = {
    "greater_than_equal": ("is less than", "ge", "use at least"),
    "greater_than": ("is not more than", "gt", "use more than"),
    "less_than_equal": ("is more than", "le", "use at most"),
    "less_than": ("is not less than", "lt", "use less than"),
}
_MOST_SHOWN = 60
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


def words(
    model: type[BaseModel], path: Steps, errors: Sequence[Mapping[str, Any]]
) -> tuple[str, str | None]:
    """Return message and hint for all errors about one value."""
    error = errors[0]
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    about = _about(fields.field(model, path))
    if kind == FAULT:
        return context["message"], context["hint"]
    if kind == "extra_forbidden":
        hint = suggestion(str(path[-1]), fields.keys(model, path[:-1]))
        return f"unknown key {_short(path[-1])}", hint
    if kind in _TYPES:
        return _wrong_type([e["type"] for e in errors], value, about)
    if kind == "literal_error":
        return _not_one_of(value, context["expected"])
    if kind in _LIMITS:
        text, limit, hint = _LIMITS[kind]
        return f"{value} {text} {context[limit]}", f"{hint} {context[limit]}{about}"
    return _other(error, context), f"write it{about}"


def _other(error: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    kind, message = error["type"], str(error["msg"])
    if kind == "missing":
        return f"the key {error['loc'][-1]!r} is missing"
    if kind == "string_too_short":
        return "it is empty"
    if kind == "string_too_long":
        return f"it is longer than {context['max_length']} characters"
    if kind == "too_long":
        return f"it has more than {context['max_length']} entries"
    return message[:1].lower() + message[1:]


def _wrong_type(kinds: Sequence[str], value: Any, about: str) -> tuple[str, str]:
    wanted = [_TYPES[kind] for kind in dict.fromkeys(kinds) if kind in _TYPES]
    if "a number" in wanted and "a whole number" in wanted:
        wanted.remove("a whole number")
    text = " or ".join(wanted)
    message = f"{_shown(value)} is not {text}"
    if value is None:
        return message, f"write {text}, or remove the key"
    if kinds[0] == "string_type" and isinstance(value, int | float):
        return message, "put it in quotes"
    if isinstance(value, str) and "number" in text and _NUMBER.fullmatch(value):
        return message, "remove the quotes"
    return message, f"write {text}{about}"


def _not_one_of(value: Any, expected: str) -> tuple[str, str]:
    allowed = [part.strip("' ") for part in expected.replace(" or ", ", ").split(",")]
    near = nearest(value, allowed) if isinstance(value, str) else None
    start = f"did you mean {near!r}? " if near else ""
    return f"{_shown(value)} is not allowed here", f"{start}use {' or '.join(allowed)}"


def _shown(value: Any) -> str:
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return _short(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _about(field: FieldInfo | None) -> str:
    return f": {field.description}" if field and field.description else ""
