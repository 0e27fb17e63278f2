"""What an interrupted apply had made becomes ours again, and nothing else does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ray_gke.errors import RefusedError
from ray_gke.events import Emit, Note
from ray_gke.targets.terraform.changes import ResourceChange

if TYPE_CHECKING:
    from ray_gke.targets.terraform.stack import Planned, Stack

_LABELS = ("labels", "resource_labels", "metadata")


def adopt(stack: Stack, planned: Planned, emit: Emit) -> Planned:
    """Return the plan, once what an interrupted apply had made is in the state.

    Raises RefusedError when something of the same name is somebody else's.
    """
    begun = stack.begun_creations()
    lost = [one for one in planned.changes.of("create") if one.address in begun]
    taken = [one.address for one in lost if stack.take_over(one)]
    if not taken:
        return planned
    emit(Note(stack.title, f"found again: {', '.join(taken)}"))
    again = stack.plan(emit)
    found = [one for one in again.changes.todo if one.address in taken]
    foreign = [one for one in found if _is_foreign(one)]
    if foreign:
        stack.forget([one.address for one in foreign])
        raise _not_ours(foreign)
    return again


def _is_foreign(change: ResourceChange) -> bool:
    """Tell whether what was there is not as we make it."""
    labels = any(name in change.attributes for name in _LABELS)
    return change.ends or labels


def _not_ours(foreign: Sequence[ResourceChange]) -> RefusedError:
    names = ", ".join(one.address for one in foreign)
    return RefusedError(
        f"there is something of the same name that ray-gke did not make: {names}",
        hint="give the platform another name, or remove what is there",
    )
