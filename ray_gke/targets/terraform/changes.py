"""What a Terraform plan would do, and what has changed behind Terraform's back.

Source: Terraform "JSON Output Format" 1.2, as `terraform show -json PLAN` prints it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_ACTIONS: Mapping[tuple[str, ...], str] = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}


@dataclass(frozen=True)
class ResourceChange:
    """One resource that is created, updated, replaced or deleted.

    `attributes` are the names of what differs; `values` what is known of how it will
    be, or of how it was for a delete; `before` how it is now. `digest` changes with
    what is done to them.
    """

    address: str
    type: str
    action: str
    attributes: tuple[str, ...]
    values: Mapping[str, Any]
    digest: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        """Tell whether something that is there now will not be there any more."""
        return self.action in {"delete", "replace"}


@dataclass(frozen=True)
class Changes:
    """What a plan does, and what others have changed that it sets back: `drift`."""

    todo: tuple[ResourceChange, ...] = ()
    drift: tuple[ResourceChange, ...] = ()

    def of(self, *actions: str) -> tuple[ResourceChange, ...]:
        """Return what has one of these actions."""
        return tuple(one for one in self.todo if one.action in actions)


def parse(shown: Mapping[str, Any]) -> Changes:
    """Return the changes of a plan as `show -json` prints it."""
    todo = tuple(_changes(shown.get("resource_changes") or ()))
    # The rest is what nobody has to set back: Google's own fields, numbers of nodes.
    undone = {one.address for one in todo}
    drift = _changes(shown.get("resource_drift") or ())
    return Changes(todo, tuple(one for one in drift if one.address in undone))


def _changes(listed: Sequence[Mapping[str, Any]]) -> Iterator[ResourceChange]:
    for one in listed:
        action = _ACTIONS.get(tuple(one["change"]["actions"]))
        if one.get("mode") == "managed" and action:
            yield _change(one, action)


def _change(one: Mapping[str, Any], action: str) -> ResourceChange:
    before = one["change"].get("before") or {}
    after = one["change"].get("after") or {}
    unknown = one["change"].get("after_unknown") or {}
    differing = sorted(
        name
        for name in before.keys() | after.keys() | unknown.keys()
        if before.get(name) != after.get(name) or unknown.get(name) is True
    )
    # What Google computes, or what ends, may have been anything before.
    was = before if action == "update" else {}
    said = {
        name: (None if unknown.get(name) is True else was.get(name), after.get(name))
        for name in differing
    }
    return ResourceChange(
        one["address"],
        one["type"],
        action,
        tuple(differing) if before and after else (),
        after or before,
        _digest(said),
        before,
    )


def _digest(said: Mapping[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
