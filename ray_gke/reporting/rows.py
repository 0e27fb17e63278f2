"""Tables: which columns people see of each kind of answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Rows = list[dict[str, str]]


def entries(values: Sequence[Any]) -> Rows:
    """Return the catalog's entries: name, what it runs, summary."""
    return [
        {"NAME": e.name, "KIND": e.kind, "SUMMARY": e.summary, "CATALOG": e.catalog}
        for e in values
    ]


def parameters(values: Sequence[Any]) -> Rows:
    """Return a blueprint's parameters; limits and allowed values stand with the type."""
    return [
        {
            "PARAMETER": name,
            "TYPE": _type(parameter),
            "DEFAULT": "(must be set)" if p_default is None else str(p_default),
            "DESCRIPTION": parameter.description,
        }
        for name, parameter in values
        for p_default in [parameter.default]
    ]


def _type(parameter: Any) -> str:
    if parameter.enum:
        return " | ".join(map(str, parameter.enum))
    limits = [
        f"{sign} {limit}"
        for sign, limit in ((">=", parameter.minimum), ("<=", parameter.maximum))
        if limit is not None
    ]
    return " ".join([parameter.type, *limits])
