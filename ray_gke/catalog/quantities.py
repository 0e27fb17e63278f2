"""Kubernetes quantities and names, as types that check themselves.

Sources: Kubernetes "Quantity" (apimachinery/pkg/api/resource), "Object Names and
IDs", "Labels and Selectors".
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(m|[kMGTPE]|[KMGTPE]i|)")
_FACTORS = {"": 1, "m": Decimal("0.001"), "k": 10**3, "Ki": 2**10}
_FACTORS |= {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("MGTPE", start=2)
    for suffix, base in (("", 1000), ("i", 1024))
}


def number(quantity: str) -> Decimal:
    """Return the value of a Kubernetes quantity: `1500m` is 1.5, `1Ki` is 1024.

    Raises ValueError when it is not one.
    """
    match = _QUANTITY.fullmatch(quantity)
    if not match:
        msg = f"{quantity!r} is not a Kubernetes quantity"
        raise ValueError(msg)
    return Decimal(match[1]) * _FACTORS[match[2]]


def _as_text(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _cpu(value: str) -> str:
    cores = _positive(value, "2, 500m or 0.5")
    if cores * 1000 % 1:
        msg = f"{value!r} is finer than 1m, the smallest CPU quantity"
        raise ValueError(msg)
    if cores > 10_000:
        msg = f"{value!r} is more CPUs than any machine has"
        raise ValueError(msg)
    return value


def _memory(value: str) -> str:
    size = _positive(value, "512Mi or 8Gi")
    if size < 2**20:
        msg = f"{value!r} is less than 1Mi; did you forget the unit, as in 8Gi?"
        raise ValueError(msg)
    if size > 2**50:
        msg = f"{value!r} is more memory than any machine has"
        raise ValueError(msg)
    if size % 1:
        msg = f"{value!r} is not a whole number of bytes"
        raise ValueError(msg)
    return value


def _positive(value: str, example: str) -> Decimal:
    try:
        size = number(value)
    except ValueError as error:
        msg = f"{error}, such as {example}"
        raise ValueError(msg) from None
    if size <= 0:
        msg = f"{value!r} must be more than 0"
        raise ValueError(msg)
    return size


_QUANTITY_SCHEMA = {"type": ["string", "number"], "pattern": r"^[0-9.]+([mkKMGTPE]i?)?$"}

Cpu = Annotated[
    str, BeforeValidator(_as_text), AfterValidator(_cpu), WithJsonSchema(_QUANTITY_SCHEMA)
]
Memory = Annotated[
    str, BeforeValidator(_as_text), AfterValidator(_memory), WithJsonSchema(_QUANTITY_SCHEMA)
]

Name = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
"""A DNS-1035 label, which KubeRay asks of every name (validation.go)."""

LabelKey = Annotated[
    str,
    Field(pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"),
]
LabelValue = Annotated[
    str, Field(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", max_length=63)
]
EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Image = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]+([._:-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$"
    ),
]
"""An image reference: [REGISTRY[:PORT]/]REPOSITORY[:TAG][@DIGEST] (distribution/reference)."""
