"""The typed inputs of a blueprint: how they are declared, and what they get."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ray_gke.catalog.model import Model
from ray_gke.catalog.quantities import Shape

ParameterValue = str | int | float | bool
ParameterName = Annotated[
    str, Shape("[a-z_][a-z0-9_]*", "small letters, digits and '_', such as count", 63)
]


class Parameter(Model):
    """A typed input of a blueprint: `--set NAME=VALUE`."""

    type: Literal["string", "integer", "number", "boolean"] = Field(
        description="Type of its values"
    )
    default: ParameterValue | None = Field(
        default=None,
        description="Value without --set; a parameter without a default must be set",
    )
    description: str = Field(min_length=1, description="What it is for")
    minimum: int | float | None = Field(default=None, description="Smallest number")
    maximum: int | float | None = Field(default=None, description="Largest number")
    enum: tuple[ParameterValue, ...] | None = Field(
        default=None, strict=False, min_length=1, description="The only values"
    )
    pattern: str | None = Field(
        default=None,
        max_length=500,
        description="Regular expression that the whole string matches",
    )
