"""Data of the events of the YAML parser, and the places of all its values.

Files come from people we do not know, so everything that could cost time or memory is
limited while the data grows: its depth, and how much it is with aliases expanded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from ray_gke.catalog.yaml_scalars import Scalar, plain, tagged
from ray_gke.errors import InvalidError, Place

MAX_DEPTH = 50
# A value costs its characters and this much; a usual file of the largest size fits.
_VALUE_COST = 40
_MAX_COST = 4 * 2**20
_COLLECTIONS = frozenset({None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})

Steps = tuple[str | int, ...]
Marks = dict[int, dict[str | int, tuple[int, int]]]
"""Line and column of every key or entry, by the id of what holds it."""


def key_text(path: Steps) -> str:
    """Return a path as people write it: `spec.worker_groups[0].name`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


@dataclass
class _Open:
    """A mapping or list whose end has not been read yet."""

    value: dict[str, Any] | list[Any]
    marks: dict[str | int, tuple[int, int]]
    path: Steps
    anchor: str | None
    key: str | None = None
    cost: int = 0

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None

    @property
    def next_path(self) -> Steps:
        if isinstance(self.value, list):
            return (*self.path, len(self.value))
        return self.path if self.key is None else (*self.path, self.key)


class Builder:
    """Makes data of the parser's events, without recursion."""

    def __init__(self, file: str) -> None:
        self.marks: Marks = {}
        self._file = file
        self._open: list[_Open] = []
        self._top: Any = None
        self._documents = 0
        self._cost = 0
        # What an anchor stands for, and what it costs; None while it is still open.
        self._anchors: dict[str, tuple[Any, int] | None] = {}

    def mapping(self) -> dict[str, Any]:
        """Return what was built, which must be a mapping."""
        if isinstance(self._top, dict):
            return self._top
        message = f"the file is {'empty' if self._top is None else 'not a mapping'}"
        hint = "begin with a key, as in apiVersion: ray-gke/v1"
        raise InvalidError(message, place=Place(self._file, 1, 1), hint=hint)

    def take(self, event: Any) -> None:
        """Continue with the next event of the parser."""
        match event:
            case yaml.ScalarEvent() if self._wants_key:
                self._key(event)
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._begin(event, {})
            case yaml.SequenceStartEvent():
                self._begin(event, [])
            case yaml.CollectionEndEvent():
                self._end()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent():
                self._document(event)
            case _:
                pass

    @property
    def _wants_key(self) -> bool:
        return bool(self._open) and self._open[-1].wants_key

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            hint = "one file holds one document"
            raise self._error(event, "a second document begins here", hint)

    def _scalar(self, event: Any) -> None:
        value = self._value(event)
        cost = _VALUE_COST + len(event.value)
        if event.anchor:
            self._anchors[event.anchor] = (value, cost)
        self._spend(event, cost)
        self._put(event, value)

    def _value(self, event: Any) -> Scalar:
        if "\0" in event.value:
            raise self._error(event, "the character U+0000 is not allowed", "remove it")
        try:
            if event.tag is not None:
                return tagged(event.tag, event.value)
            return plain(event.value) if event.implicit[0] else str(event.value)
        except KeyError:
            raise self._tag_error(event) from None
        except ValueError as error:
            raise self._error(event, str(error), "put text in quotes") from None

    def _key(self, event: Any) -> None:
        last = self._open[-1]
        key = self._value(event)
        if not isinstance(key, str):
            hint = f'put it in quotes: "{event.value}"'
            raise self._error(
                event, f"the key {event.value or 'null'} is not text", hint
            )
        if key == "<<" and event.implicit[0]:
            hint = "write the keys out, or repeat a whole value with an alias"
            raise self._error(event, "merge keys (<<) are not supported", hint)
        first = last.marks.get(key)
        last.key = key
        if first:
            hint = f"it stands first in line {first[0]}; remove one of them"
            raise self._error(event, f"the key {key!r} is given twice", hint)
        last.marks[key] = (event.start_mark.line + 1, event.start_mark.column + 1)
        if event.anchor:
            self._anchors[event.anchor] = (key, _VALUE_COST + len(key))
        self._spend(event, len(key))

    def _begin(self, event: Any, value: dict[str, Any] | list[Any]) -> None:
        if self._wants_key:
            hint = 'if it is an expression, put it in quotes: "{{ name }}"'
            raise self._error(event, "a mapping or list cannot be a key", hint)
        if event.tag not in _COLLECTIONS:
            raise self._tag_error(event)
        if len(self._open) == MAX_DEPTH:
            hint = f"at most {MAX_DEPTH} levels"
            raise self._error(event, "the file is nested too deeply", hint)
        if event.anchor:
            self._anchors[event.anchor] = None
        path = self._open[-1].next_path if self._open else ()
        self._put(event, value)
        marks = self.marks.setdefault(id(value), {})
        self._open.append(_Open(value, marks, path, event.anchor))
        self._spend(event, _VALUE_COST)

    def _end(self) -> None:
        closed = self._open.pop()
        if closed.anchor:
            self._anchors[closed.anchor] = (closed.value, closed.cost)
        if self._open:
            self._open[-1].cost += closed.cost

    def _alias(self, event: Any) -> None:
        if self._wants_key:
            raise self._error(event, "a key cannot be an alias", "write the key out")
        if event.anchor not in self._anchors:
            message = f"the alias *{event.anchor} has no anchor before it"
            raise self._error(event, message, f"mark the value with &{event.anchor}")
        target = self._anchors[event.anchor]
        if target is None:
            message = f"the alias *{event.anchor} stands inside its own value"
            raise self._error(event, message, "write the value out")
        value, cost = target
        self._spend(event, cost)
        self._put(event, value)

    def _spend(self, event: Any, cost: int) -> None:
        if self._open:
            self._open[-1].cost += cost
        self._cost += cost
        if self._cost > _MAX_COST:
            hint = "write less; an alias counts as all that it stands for"
            raise self._error(event, "the file holds too many values", hint)

    def _put(self, event: Any, value: Any) -> None:
        if not self._open:
            self._top = value
            return
        last = self._open[-1]
        if isinstance(last.value, list):
            mark = (event.start_mark.line + 1, event.start_mark.column + 1)
            last.marks[len(last.value)] = mark
            last.value.append(value)
        elif last.key is not None:
            last.value[last.key] = value
            last.key = None

    def _tag_error(self, event: Any) -> InvalidError:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")[:80]
        return self._error(event, f"the tag {tag} is not allowed", "remove it")

    def _error(self, event: Any, message: str, hint: str) -> InvalidError:
        key = key_text(self._open[-1].next_path)[:200] if self._open else None
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        place = Place(self._file, line, column, key or None)
        return InvalidError(message, place=place, hint=hint)
