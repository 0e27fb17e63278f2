"""Regular expressions of people we do not know, matched in linear time.

The engine is the one that pydantic carries (Rust's): it has no backtracking.
"""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import (
    SchemaError,
    SchemaValidator,
    ValidationError,
    core_schema,
)

from ray_gke.catalog.faults import fault


def check_pattern(pattern: str) -> None:
    """Raise a fault at `pattern` unless it can be used."""
    try:
        # Alone first, so that no parenthesis of it closes the group around it.
        _validator(pattern)
        _validator(_whole(pattern))
    except SchemaError:
        raise fault(
            f"{pattern[:60]!r} is not a regular expression that can be used",
            at=("pattern",),
            hint="use plain groups, classes and repetitions; "
            "no look-around, no back-references",
        ) from None


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole text matches a pattern that was checked."""
    try:
        _validator(_whole(pattern)).validate_python(text)
    except ValidationError:
        return False
    return True


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


@lru_cache(maxsize=256)
def _validator(pattern: str) -> SchemaValidator:
    return SchemaValidator(
        core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
    )
