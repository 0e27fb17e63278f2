"""Errors that a model finds itself, with the place and the hint it knows."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

FAULT = "ray_gke"


def fault(
    message: str, *, hint: str | None = None, at: tuple[str | int, ...] = ()
) -> PydanticCustomError:
    """Return an error for a validator; `at` leads from its value to the place."""
    context = {"message": message, "hint": hint, "at": at}
    return PydanticCustomError(FAULT, "{message}", context)
