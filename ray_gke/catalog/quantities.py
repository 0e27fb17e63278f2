"""Kubernetes quantities and names, as types that check themselves.

Sources: Kubernetes "Quantity" (apimachinery/pkg/api/resource), "Object Names and
IDs", "Labels and Selectors"; distribution/reference for images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from ray_gke.catalog.faults import fault

_QUANTITY = re.compile(r"(\d{1,20}(?:\.\d{1,20})?|\.\d{1,20})(m|[kMGTPE]|[KMGTPE]i|)")
_FACTORS: dict[str, int | Decimal] = {
    "": 1,
    "m": Decimal("0.001"),
    "k": 10**3,
    "Ki": 2**10,
}
_FACTORS |= {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("MGTPE", start=2)
    for suffix, base in (("", 1000), ("i", 1024))
}
_SUFFIXES = {
    False: ("E", "P", "T", "G", "M", "k", "", "m"),
    True: ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki", ""),
}
"""From the largest; which of them depends on whether the suffix is binary."""
_MOST_CPUS = 10_000
# Ray takes 30 % of a container's memory for its object store, and refuses to start
# with one below 75 MiB (OBJECT_STORE_MINIMUM_MEMORY_BYTES, ray_constants.py).
_LEAST_MEMORY = 256 * 2**20
_CPU_EXAMPLE = "write it as 2, 500m or 0.5"
_MEMORY_EXAMPLE = "write it as 512Mi or 8Gi"
_GPU_MEMORY_EXAMPLE = "write it as 10Gi"
# A pod has about 90 log files, each kept twice, on half of what it keeps on disk.
_LEAST_DISK = 256 * 2**20
_DISK_EXAMPLE = "write it as 10Gi"


def number(quantity: str) -> Decimal:
    """Return the value of a Kubernetes quantity: `1500m` is 1.5, `1Ki` is 1024.

    Raises ValueError when it is not one.
    """
    match = _QUANTITY.fullmatch(quantity)
    if not match:
        raise ValueError(f"{quantity[:40]!r} is not a Kubernetes quantity")
    return Decimal(match[1]) * _FACTORS[match[2]]


def canonical(quantity: object) -> object:
    """Return a quantity as Kubernetes' Go types write it: `0.5` as `500m`, 1 as `1`.

    What is none, or is finer than 1m, is returned as it is.
    """
    text = str(quantity)
    try:
        value = number(text)
    except ValueError:
        return quantity
    binary = text.endswith("i") and value >= 2**10
    for suffix in _SUFFIXES[binary]:
        mantissa = value / _FACTORS[suffix]
        if mantissa == mantissa.to_integral_value() and (mantissa or not suffix):
            return f"{int(mantissa)}{suffix}"
    return quantity


def _as_text(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _cpu(value: str) -> str:
    cores = _positive(value, _CPU_EXAMPLE)
    if cores * 1000 % 1:
        message = f"{value!r} is finer than 1m, the smallest CPU quantity"
        raise fault(message, hint=_CPU_EXAMPLE)
    if cores > _MOST_CPUS:
        message = f"{value!r} is more CPUs than any machine has"
        raise fault(message, hint=_CPU_EXAMPLE)
    return value


def _memory(value: str) -> str:
    size = _with_unit(value, _MEMORY_EXAMPLE)
    if size < _LEAST_MEMORY:
        message = f"{value!r} is too little memory for Ray"
        hint = "write 256Mi or more: 30 % is the object store's, which needs 75 MiB"
        raise fault(message, hint=hint)
    if size > 2**50:
        message = f"{value!r} is more memory than any machine has"
        raise fault(message, hint=_MEMORY_EXAMPLE)
    if size % 1:
        message = f"{value!r} is not a whole number of bytes"
        raise fault(message, hint=_MEMORY_EXAMPLE)
    return value


def _disk(value: str) -> str:
    size = _with_unit(value, _DISK_EXAMPLE)
    if size < _LEAST_DISK:
        message = f"{value!r} is too little room for Ray's log files"
        raise fault(message, hint="write 256Mi or more: a pod has about 90 of them")
    if size > 2**50 or size % 1:
        message = f"{value!r} is the size of no disk"
        raise fault(message, hint=_DISK_EXAMPLE)
    return value


def _gpu_memory(value: str) -> str:
    size = _positive(value, _GPU_MEMORY_EXAMPLE)
    if size < 2**20 or size % 1:
        message = f"{value!r} is no amount of GPU memory; is the unit missing?"
        raise fault(message, hint=_GPU_MEMORY_EXAMPLE)
    return value


def _with_unit(value: str, example: str) -> Decimal:
    size = _positive(value, example)
    if size < 2**20:
        message = f"{value!r} is less than 1Mi; is the unit missing?"
        raise fault(message, hint=example)
    return size


def _positive(value: str, example: str) -> Decimal:
    try:
        size = number(value)
    except ValueError as error:
        raise fault(str(error), hint=example) from None
    if size <= 0:
        raise fault(f"{value!r} is not more than 0", hint=example)
    return size


_QUANTITY_SCHEMA = {
    "type": ["string", "number"],
    "pattern": r"^([0-9]+(\.[0-9]+)?|\.[0-9]+)(m|[kMGTPE]|[KMGTPE]i)?$",
    "exclusiveMinimum": 0,
}
Cpu = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_cpu),
    WithJsonSchema(_QUANTITY_SCHEMA),
]
Memory = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_memory),
    WithJsonSchema(_QUANTITY_SCHEMA),
]

Disk = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_disk),
    WithJsonSchema(_QUANTITY_SCHEMA),
]
GpuMemory = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_gpu_memory),
    WithJsonSchema(_QUANTITY_SCHEMA),
]


@dataclass(frozen=True)
class Shape:
    """The form of a text: what the whole of it must match, in a pattern and in words.

    The patterns are ours and take linear time.
    """

    pattern: str
    words: str
    most: int = 10_000

    def check(self, value: str) -> str:
        """Return `value` if it has this form."""
        if len(value) > self.most:
            message = f"{value[:20]!r}… is longer than {self.most} characters"
            raise fault(message, hint="shorten it")
        if not re.fullmatch(self.pattern, value):
            raise fault(f"{value[:80]!r} does not fit here", hint=f"write {self.words}")
        return value

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        limits = {"pattern": f"^(?:{self.pattern})$", "maxLength": self.most}
        return handler(schema) | limits


_DNS = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL = "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_LABEL_WORDS = "letters, digits, '-', '_' and '.', with a letter or digit at both ends"
_HOST = (
    r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*"
)
_REPOSITORY = "[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"

Name = Annotated[
    str,
    Shape(
        "[a-z]([-a-z0-9]*[a-z0-9])?",
        "small letters, digits and '-', beginning with a letter, such as train-small",
        most=63,
    ),
]
"""A DNS-1035 label, which KubeRay asks of every name (validation.go)."""

LabelKey = Annotated[
    str,
    Shape(
        rf"({_DNS}(\.{_DNS})*/)?(?=.{{1,63}}$){_LABEL}",
        f"{_LABEL_WORDS}, such as ray.io/market-type",
        most=317,
    ),
]
LabelValue = Annotated[str, Shape(f"({_LABEL})?", _LABEL_WORDS, most=63)]
Image = Annotated[
    str,
    Shape(
        rf"({_HOST}(:[0-9]{{1,5}})?/)?{_REPOSITORY}(/{_REPOSITORY})*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?",
        "an image such as rayproject/ray:2.60.0-py311 or registry:5000/team/ray:1",
        most=500,
    ),
]
"""An image reference: [REGISTRY[:PORT]/]REPOSITORY[:TAG][@DIGEST]."""
