"""What an interrupted apply had made becomes ours again, and nothing else does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ray_gke.errors import RefusedError
from ray_gke.events import Emit, Note
from ray_gke.targets.terraform.changes import ResourceChange

if TYPE_CHECKING:
    from ray_gke.targets.terraform.stack import Planned, Stack

_GOOGLE, _KUBERNETES = "managed-by", "app.kubernetes.io/managed-by"
"""The labels by which what the stacks make is known."""


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
    """Tell whether what was there is not what an interrupted apply had begun to make.

    That it differs is no sign. After an import google has all labels at one place
    alone, `effective_labels` (`SetLabels`); kubernetes has none of the domains of
    kubernetes.io but app.kubernetes.io (`IsInternalKey`); helm has neither values nor
    repository (`ImportState`). Sources: the functions named, of the providers.
    """
    kind = change.type
    return change.ends or _mark(kind, change.before) != _mark(kind, change.values)


def _mark(kind: str, values: Mapping[str, Any]) -> str | None:
    """Return by what a resource is known besides its name, None where by nothing."""
    if kind == "helm_release":
        # Once it is imported it has the chart's name, where we give a folder.
        return PurePosixPath(values["chart"]).name
    if kind.startswith("kubernetes_"):
        (metadata,) = values["metadata"]
        return (metadata.get("labels") or {}).get(_KUBERNETES)
    return (values.get("effective_labels") or {}).get(_GOOGLE)


def _not_ours(foreign: Sequence[ResourceChange]) -> RefusedError:
    names = ", ".join(one.address for one in foreign)
    return RefusedError(
        f"there is something of the same name that ray-gke did not make: {names}",
        hint="give the platform another name, or remove what is there",
    )
