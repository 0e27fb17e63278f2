"""Data against a model: every mistake is one problem, in words, at its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ray_gke.catalog.error_words import words
from ray_gke.catalog.nearest import nearest
from ray_gke.catalog.yaml_values import Steps
from ray_gke.errors import Place, Problem

AnyModel = TypeVar("AnyModel", bound=BaseModel)
Where = Callable[[Steps], Place]
_Error = Mapping[str, Any]


def validate(
    model: type[AnyModel],
    data: Any,
    where: Where,
    unknown: Collection[Steps] = frozenset(),
) -> tuple[AnyModel | None, list[Problem]]:
    """Return the value, or None and everything that is wrong with the data.

    `unknown` are paths whose values are not known, because an expression failed or a
    parameter is open; nothing is said about them.
    """
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        errors = _by_path(error, data)
    told = {
        path: errors[path]
        for path in sorted(errors, key=lambda p: [str(step) for step in p])
        if not any(path[: len(u)] == u for u in unknown)
    }
    return None, list(_problems(model, told, where))


def in_order(problems: Collection[Problem]) -> list[Problem]:
    """Return the problems by file and line, each of them once."""

    def position(problem: Problem) -> tuple[str, int, int]:
        place = problem.place
        return (place.file, place.line or 0, place.column or 0) if place else ("", 0, 0)

    return sorted(dict.fromkeys(problems), key=position)


def _by_path(error: ValidationError, data: Any) -> dict[Steps, list[_Error]]:
    found: dict[Steps, list[_Error]] = defaultdict(list)
    for one in error.errors(include_url=False):
        found[_path(one, data)].append(one)
    return found


def _path(error: _Error, data: Any) -> Steps:
    """Return the error's path into the data, without pydantic's own steps in it.

    Those name the member of a union, or `[key]` for an error about a key.
    """
    path: list[str | int] = []
    here = data
    for step in error["loc"]:
        if not _has(here, step):
            if error["type"] == "missing":
                path.append(step)
            break
        path.append(step)
        here = here[step]
    return (*path, *error.get("ctx", {}).get("at", ()))


def _has(data: Any, step: str | int) -> bool:
    if isinstance(data, Mapping):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and step < len(data)


def _problems(
    model: type[BaseModel], errors: Mapping[Steps, list[_Error]], where: Where
) -> Iterator[Problem]:
    meant = set(_meant(errors))
    for path, group in errors.items():
        if path not in meant:
            message, hint = words(model, path, group)
            yield Problem(message, where(path), hint)


def _meant(errors: Mapping[Steps, list[_Error]]) -> Iterator[Steps]:
    """Yield the missing keys that stand there, misspelt: one mistake, one problem."""
    missing = [p for p, group in errors.items() if group[0]["type"] == "missing"]
    for path, group in errors.items():
        if group[0]["type"] == "extra_forbidden":
            beside = [str(m[-1]) for m in missing if m[:-1] == path[:-1]]
            near = nearest(str(path[-1]), beside)
            if near:
                yield (*path[:-1], near)
