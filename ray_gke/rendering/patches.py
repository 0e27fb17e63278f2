"""The blueprint's merge patches on rendered objects (RFC 7386).

A list in a patch replaces the whole list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ray_gke.catalog.nearest import suggestion
from ray_gke.errors import InvalidError, Place
from ray_gke.planning.plan import Plan
from ray_gke.rendering.templates import Manifest

Path = tuple[str | int, ...]

_IDENTITY: tuple[Path, ...] = (
    ("apiVersion",),
    ("kind",),
    ("metadata", "name"),
    ("metadata", "namespace"),
)


@dataclass(frozen=True)
class Patched:
    """An object, and the numbers of the patches that made it what it is."""

    object: Manifest
    patches: tuple[int, ...] = ()


def patched(objects: Sequence[Manifest], plan: Plan) -> tuple[Patched, ...]:
    """Return the objects with the plan's patches, in their order.

    Raises InvalidError for a patch that finds no object or makes another of it.
    """
    results = [Patched(one) for one in objects]
    for number, patch in enumerate(plan.patches):
        chosen = [i for i, one in enumerate(results) if _meant(patch, one.object)]
        if not chosen:
            raise _nothing(plan, number, objects)
        for index in chosen:
            before = results[index]
            merged = merge(before.object, patch.patch)
            _same_identity(plan, number, before.object, merged)
            results[index] = Patched(merged, (*before.patches, number))
    return tuple(results)


def merge(target: object, patch: object) -> Any:
    """Return `target` with a merge patch applied: null removes, objects merge."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def place(plan: Plan, numbers: Sequence[int], path: Path) -> Place | None:
    """Return where a patch says something about the field at `path`, or None.

    The last of the patches `numbers` that does so is meant, down to the deepest of
    its keys.
    """
    for number in reversed(numbers):
        depth = _depth(plan.patches[number].patch, path)
        if depth:
            return plan.places.get(("spec", "patches", number, "patch", *path[:depth]))
    return None


def _depth(patch: object, path: Path) -> int:
    depth = 0
    for step in path:
        if isinstance(patch, Mapping) and step in patch:
            patch = patch[str(step)]
        elif isinstance(patch, list) and isinstance(step, int) and step < len(patch):
            patch = patch[step]
        else:
            break
        depth += 1
    return depth


def _meant(patch: Any, one: Manifest) -> bool:
    return one.get("kind") == patch.kind and patch.name in (None, _name(one))


def _name(one: Manifest) -> str:
    return str(_value(one, ("metadata", "name")))


def _nothing(plan: Plan, number: int, objects: Sequence[Manifest]) -> InvalidError:
    patch = plan.patches[number]
    of_kind = {_name(one) for one in objects if one.get("kind") == patch.kind}
    key, word = ("name", patch.name) if of_kind else ("kind", patch.kind)
    known = of_kind or {str(one.get("kind")) for one in objects}
    return InvalidError(
        f"no rendered {patch.kind} is called {patch.name}"
        if of_kind
        else f"no {patch.kind} is rendered",
        place=plan.places.get(("spec", "patches", number, key)),
        hint=suggestion(str(word), known),
    )


def _same_identity(plan: Plan, number: int, before: Manifest, after: Manifest) -> None:
    for path in _IDENTITY:
        if _value(before, path) != _value(after, path):
            raise InvalidError(
                f"a patch cannot change {'.'.join(map(str, path))}",
                place=place(plan, (number,), path),
                hint="leave it out of the patch",
            )


def _value(one: Any, path: Path) -> object:
    for step in path:
        one = one.get(step) if isinstance(one, Mapping) else None
    return one
