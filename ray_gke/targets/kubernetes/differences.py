"""In which fields two versions of an object differ, as people say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ray_gke.rendering.templates import Manifest

_OF_THE_SERVER = (
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
)


def fields(before: Manifest, after: Manifest) -> tuple[str, ...]:
    """Return the paths at which what somebody has asked for differs."""
    return tuple(_differences(_plain(before), _plain(after)))


def within(place: str, before: Manifest, after: Manifest) -> bool:
    """Tell whether anything differs at a place, as the API server names it.

    Elements of lists it names by their keys: of those the whole list counts.
    """
    whole = place.removeprefix(".").partition("[")[0]
    return any(
        f"{field}.".startswith((f"{whole}.", f"{whole}["))
        for field in fields(before, after)
    )


def _plain(one: Manifest) -> Manifest:
    """Return an object without what the server and controllers write."""
    metadata = {
        key: value
        for key, value in one["metadata"].items()
        if key not in _OF_THE_SERVER
    }
    return {**one, "metadata": metadata, "status": None}


def _differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which two pieces of plain data differ.

    What is empty is the same as nothing: programs in Go write `{}` for either.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**before, **after}:
            inner = f"{path}.{key}" if path else str(key)
            yield from _differences(before.get(key), after.get(key), inner)
    elif (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
    ):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{path}[{index}]")
    elif before != after and not (_is_empty(before) and _is_empty(after)):
        yield path


def _is_empty(value: Any) -> bool:
    return value is None or value in ({}, [])
