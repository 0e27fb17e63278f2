"""What a model has at a path into its data."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_UNIONS = (Union, types.UnionType)


def keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the keys that the model allows in the mapping at `path`."""
    found = _at(model, path)
    return list(_fields(found)) if _is_model(found) else []


def field(model: type[BaseModel], path: Sequence[str | int]) -> FieldInfo | None:
    """Return the field at `path`, if it is one."""
    if not path or isinstance(path[-1], int):
        return None
    found = _at(model, path[:-1])
    return _fields(found).get(path[-1]) if _is_model(found) else None


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {f.alias or name: f for name, f in model.model_fields.items()}


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _at(model: type[BaseModel], path: Sequence[str | int]) -> Any:
    here: Any = model
    for step in path:
        here = _bare(_inside(here, step))
    return here


def _inside(annotation: Any, step: str | int) -> Any:
    if _is_model(annotation):
        found = _fields(annotation).get(str(step))
        return found.annotation if found else None
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    return get_args(annotation)[0] if get_args(annotation) else None


def _bare(annotation: Any) -> Any:
    """Return the annotation without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in _UNIONS:
        options = [a for a in get_args(annotation) if a is not type(None)]
        return _bare(options[0])
    return annotation
