"""The typed inputs of a blueprint: how they are declared, and what they get."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ray_gke.catalog.faults import fault
from ray_gke.catalog.model import ForTerminals, Model, not_empty
from ray_gke.catalog.patterns import check_pattern, matches
from ray_gke.catalog.quantities import Shape
from ray_gke.catalog.yaml_scalars import plain

ParameterValue = str | int | float | bool
MAX_LENGTH = 10_000
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "path": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_WORDS = {
    "string": "text",
    "path": "a path or a URI",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
# Words of the expression language, which no parameter can be read by.
_KEYWORDS = frozenset(
    ["and", "else", "false", "if", "in", "is", "none", "not", "or", "self", "true"]
)


def _readable(name: str) -> str:
    if name in _KEYWORDS:
        message = f"{name!r} is a word of the expression language"
        raise fault(message, hint="choose another name")
    return name


ParameterName = Annotated[
    str,
    Shape("[a-z_][a-z0-9_]*", "small letters, digits and '_', such as count", 63),
    AfterValidator(_readable),
]


class Parameter(Model):
    """A typed input of a blueprint: `--set NAME=VALUE`."""

    type: Literal["string", "path", "integer", "number", "boolean"] = Field(
        description="Type of its values: string, path (of a file or folder, or a URI), "
        "integer, number or boolean"
    )
    default: ParameterValue | None = Field(
        default=None,
        description="Value without --set; a parameter without a default must be set",
    )
    description: Annotated[str, Field(min_length=1), ForTerminals] = Field(
        description="What the parameter is for"
    )
    minimum: int | float | None = Field(default=None, description="Smallest number")
    maximum: int | float | None = Field(default=None, description="Largest number")
    enum: Annotated[tuple[ParameterValue, ...], AfterValidator(not_empty)] | None = (
        Field(
            default=None,
            strict=False,
            description="The only values",
            json_schema_extra={"minItems": 1},
        )
    )
    pattern: str | None = Field(
        default=None,
        max_length=500,
        description="Regular expression that the whole string matches",
    )

    def wrong(self, value: object) -> str | None:
        """Return what is wrong with a value, in words, or None."""
        shown = f"{str(value)[:40]!r}" if isinstance(value, str) else str(value).lower()
        if not self._has_type(value):
            return f"{shown} is not {_WORDS[self.type]}"
        if isinstance(value, str):
            return self._wrong_text(value, shown) or self._not_listed(value, shown)
        if isinstance(value, int | float):
            if self.minimum is not None and value < self.minimum:
                return f"{shown} is less than the minimum {self.minimum}"
            if self.maximum is not None and value > self.maximum:
                return f"{shown} is more than the maximum {self.maximum}"
        return self._not_listed(value, shown)

    def read(self, text: str) -> ParameterValue:
        """Return the value that a text of the command line means.

        A text that means no value of this type stays text, and is `wrong`.
        """
        if self.type in ("string", "path"):
            return text
        try:
            value = plain(text.strip())
        except ValueError:
            return text
        return text if value is None else value

    def located(self, value: ParameterValue, base: Path) -> ParameterValue:
        """Return a relative path as an absolute one, from `base`; all else as it is.

        A workload does not run where its user is.
        """
        if self.type != "path" or not isinstance(value, str):
            return value
        if not value or "://" in value:
            return value
        return os.path.abspath(base / os.path.expanduser(value))  # noqa: PTH100, PTH111

    @property
    def expected(self) -> str:
        """What a value must be, for a hint."""
        if self.enum:
            return f"use {' or '.join(str(value) for value in self.enum)}"
        limits = (("at least", self.minimum), ("at most", self.maximum))
        given = [f"{word} {limit}" for word, limit in limits if limit is not None]
        if self.pattern:
            given.append(f"matching {self.pattern}")
        return f"use {' '.join([_WORDS[self.type], ', '.join(given)]).strip()}"

    def _has_type(self, value: object) -> bool:
        if isinstance(value, bool):
            return self.type == "boolean"
        return isinstance(value, _TYPES[self.type])

    def _wrong_text(self, value: str, shown: str) -> str | None:
        if len(value) > MAX_LENGTH or "\0" in value:
            return f"{shown} is longer than {MAX_LENGTH} characters, or binary"
        if self.pattern and not matches(self.pattern, value):
            return f"{shown} does not match the pattern {self.pattern}"
        return None

    def _not_listed(self, value: object, shown: str) -> str | None:
        if self.enum is None or value in self.enum:
            return None
        return f"{shown} is not one of {', '.join(str(v) for v in self.enum)}"

    @model_validator(mode="after")
    def _declaration(self) -> Parameter:
        self._limits_fit_type()
        low, high = self.minimum, self.maximum
        if low is not None and high is not None and low > high:
            message = f"minimum {low} is more than maximum {high}"
            raise fault(message, at=("minimum",), hint="exchange them")
        for index, value in enumerate(self.enum or ()):
            if not self._has_type(value):
                message = f"{value!r} is not {_WORDS[self.type]}"
                raise fault(message, at=("enum", index), hint=f"type is {self.type}")
        wrong = None if self.default is None else self.wrong(self.default)
        if wrong:
            raise fault(wrong, at=("default",), hint=self.expected)
        return self

    def _limits_fit_type(self) -> None:
        numeric = self.type in ("integer", "number")
        for key in ("minimum", "maximum"):
            if getattr(self, key) is not None and not numeric:
                message = f"{key} does not go with type {self.type}"
                raise fault(message, at=(key,), hint="it is for integer and number")
        if self.pattern is not None:
            if self.type != "string":
                message = f"pattern does not go with type {self.type}"
                raise fault(message, at=("pattern",), hint="it is for string")
            check_pattern(self.pattern)
