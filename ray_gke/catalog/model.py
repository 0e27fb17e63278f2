"""What the models of blueprints and platforms have in common."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from ray_gke.catalog.faults import fault

Entries = TypeVar("Entries", bound=tuple[Any, ...])


# Those of ASCII and of Latin-1, without tab and line feed.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


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


def control_character(text: str) -> str | None:
    """Return the first control character but tab and line feed, or None."""
    found = _CONTROL.search(text)
    return found[0] if found else None


def _for_terminals(text: str) -> str:
    character = control_character(text)
    if character:
        message = f"the control character U+{ord(character):04X} is not allowed"
        raise fault(message, hint="remove the character")
    return text


ForTerminals = AfterValidator(_for_terminals)
"""On text that is shown as it is: nothing in it steers the terminal."""
