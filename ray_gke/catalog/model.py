"""What the models of blueprints and platforms have in common."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from ray_gke.catalog.faults import fault

Entries = TypeVar("Entries", bound=tuple[Any, ...])


class Model(BaseModel):
    """Frozen, closed and strict: no key and no type but the declared ones."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True
    )


def not_empty(entries: Entries) -> Entries:
    """Return a list that has at least one entry.

    pydantic's own limit counts valid entries only, and so complains about wrong ones.
    """
    if not entries:
        raise fault("the list is empty", hint="write at least one entry")
    return entries
