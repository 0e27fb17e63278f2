"""Templates place values into documents, and do nothing else.

A template is read as YAML once, with slots where its values go. One that also writes
values into text, keys or merges is read anew with each use. A null means: leave the
key out.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jinja2 import TemplateError, Undefined, nodes

from ray_gke import assets
from ray_gke.catalog.nearest import suggestion
from ray_gke.errors import InvalidError, Place, Problem
from ray_gke.rendering import template_syntax
from ray_gke.rendering.template_syntax import ENVIRONMENT, too_deep, wrong

T = TypeVar("T")
Manifest = dict[str, Any]
"""A Kubernetes object, or a part of one, as plain data."""

_MAX_DEPTH = 200
_SCALARS = frozenset({str, int, bool, type(None)})
# No template can guess it.
_TAG = f"slot-{secrets.token_hex(8)}"

# JSON is YAML but for the characters that YAML readers refuse or fold.
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Templates:
    """Our templates; one of the same name in the folder `extra` wins.

    Raises InvalidError for a template there that is none of ours: nothing would use it.
    """

    def __init__(self, extra: Path | None = None) -> None:
        self._extra = extra
        problems = tuple(_of_no_use(extra)) if extra else ()
        if problems:
            raise InvalidError.of(problems)

    def render(self, name: str, **values: object) -> Manifest:
        """Return the object that the template `NAME.yaml.j2` gives with `values`.

        Raises InvalidError when the template is wrong.
        """
        template = _template(self._file(f"{name}.yaml.j2"))
        try:
            return template.rendered(values)
        except RecursionError:
            raise too_deep(template.file) from None

    def _file(self, name: str) -> Path:
        ours = _ours(name)
        if self._extra is None or not (self._extra / name).exists():
            return ours
        theirs = (self._extra / name).resolve()
        if not theirs.is_relative_to(self._extra.resolve()):
            raise InvalidError(
                f"template {name} leads out of its folder",
                place=Place(str(self._extra / name)),
                hint="put the file itself into the folder",
            )
        return theirs


@cache
def _ours(name: str) -> Path:
    return assets.folder("templates") / name


def _of_no_use(folder: Path) -> Iterator[Problem]:
    ours = {file.name for file in assets.folder("templates").glob("*.j2")}
    for file in sorted(folder.glob("*.j2")):
        if file.name not in ours:
            hint = suggestion(file.name, ours)
            yield Problem(f"no template is called {file.name}", Place(str(file)), hint)


def inline(value: object) -> str:
    """Return `value` as JSON in one line that every YAML reader takes as the same."""
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", _json(value))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Undefined):
        str(value)  # raises what Jinja has to say about the missing value
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} cannot stand in a document")


def _copy(value: Any, depth: int = 0) -> Any:
    """Return what a reader of `inline(value)` gets, without nulls."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict and all(type(key) is str for key in value):
        _limit(depth)
        return {k: _copy(v, depth + 1) for k, v in value.items() if v is not None}
    if kind is list or kind is tuple:
        _limit(depth)
        return [_copy(part, depth + 1) for part in value]
    return _without_nulls(json.loads(_json(value)), depth)


@dataclass(frozen=True)
class _Template:
    """A template as its text and its slots, one after the other, and as YAML.

    `data` has the slots in their places; it is None when some of them are no places
    of values.
    """

    file: str
    parts: tuple[str | nodes.Filter, ...]
    data: Manifest | None

    def rendered(self, values: Mapping[str, object]) -> Manifest:
        """Return the data with the values in the slots, without nulls."""
        if self.data is not None:
            filled: Manifest = self._filled(self.data, values)
            return filled
        texts = (
            part if isinstance(part, str) else self._placed(part, values, inline)
            for part in self.parts
        )
        return _parsed("".join(texts), self.file)

    def _filled(self, part: Any, values: Mapping[str, object], depth: int = 0) -> Any:
        if isinstance(part, nodes.Filter):
            return self._placed(part, values, lambda value: _copy(value, depth))
        if isinstance(part, dict):
            parts = {k: self._filled(v, values, depth + 1) for k, v in part.items()}
            return {key: value for key, value in parts.items() if value is not None}
        if isinstance(part, list):
            return [self._filled(one, values, depth + 1) for one in part]
        return part

    def _placed(
        self, slot: nodes.Filter, values: Mapping[str, object], as_: Callable[[Any], T]
    ) -> T:
        try:
            return as_(_value(slot.node, values))
        except (TemplateError, TypeError, ValueError, AttributeError) as error:
            raise wrong(self.file, str(error), slot.lineno) from None


def _value(node: Any, values: Mapping[str, object]) -> Any:
    """Return what an expression of the allowed nodes means."""
    if isinstance(node, nodes.Name):
        if node.name in values:
            return values[node.name]
        return ENVIRONMENT.undefined(name=node.name)
    inner = _value(node.node, values)
    if isinstance(node, nodes.Filter):
        return inline(inner)
    return ENVIRONMENT.getattr(inner, node.attr)


@cache
def _template(file: Path) -> _Template:
    """The template in a file; files do not change while we run."""
    parts = template_syntax.parts(file)
    return _Template(str(file), parts, _with_slots(parts))


class _Loader(yaml.CSafeLoader):
    """Reads the YAML of a template with a tag for each slot."""

    slots: Sequence[nodes.Filter]


def _slot(loader: Any, node: Any) -> nodes.Filter:
    slots: Sequence[nodes.Filter] = loader.slots
    return slots[int(node.value)]


_Loader.add_constructor(_TAG, _slot)


def _with_slots(parts: Sequence[str | nodes.Filter]) -> Manifest | None:
    """Return the data of a template, if all its slots are entries of it."""
    slots = [part for part in parts if isinstance(part, nodes.Filter)]
    numbers = iter(range(len(slots)))
    text = "".join(
        part if isinstance(part, str) else f'!<{_TAG}> "{next(numbers)}"'
        for part in parts
    )
    try:
        if _is_deep(text):
            return None
        loader = _Loader(text)
        loader.slots = slots
        data = loader.get_single_data()
    except yaml.YAMLError:
        return None
    if not isinstance(data, dict) or _has_alias(data, set()):
        return None
    return data if list(map(id, _slots(data))) == list(map(id, slots)) else None


def _slots(part: object) -> Iterator[nodes.Filter]:
    if isinstance(part, nodes.Filter):
        yield part
    elif isinstance(part, dict | list):
        for one in part.values() if isinstance(part, dict) else part:
            yield from _slots(one)


def _parsed(text: str, file: str) -> Manifest:
    try:
        if _is_deep(text):
            raise too_deep(file)
        value = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        message = f"the template does not give YAML: {getattr(error, 'problem', error)}"
        raise wrong(file, message, line) from None
    if not isinstance(value, dict):
        raise wrong(file, "the template does not give an object")
    if _has_alias(value, set()):
        line = _line_of_alias(text)
        raise wrong(file, "aliases are not allowed in a template", line)
    result: Manifest = _without_nulls(value)
    return result


def _is_deep(text: str) -> bool:
    """Tell whether reading `text`, which is recursive, would exhaust the stack."""
    if len(text) < _MAX_DEPTH:
        return False
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            return True
    return False


def _has_alias(value: object, seen: set[int]) -> bool:
    """Tell whether a part is met twice, which only an alias does."""
    if not isinstance(value, dict | list) or not value:
        return False
    if id(value) in seen:
        return True
    seen.add(id(value))
    parts = value.values() if isinstance(value, dict) else value
    return any(_has_alias(part, seen) for part in parts)


def _line_of_alias(text: str) -> int:
    tokens = yaml.scan(text, Loader=yaml.CSafeLoader)
    alias = next(token for token in tokens if isinstance(token, yaml.AliasToken))
    return int(alias.start_mark.line) + 1


def _without_nulls(value: Any, depth: int = 0) -> Any:
    if isinstance(value, dict):
        _limit(depth)
        return {
            key: part if type(part) in _SCALARS else _without_nulls(part, depth + 1)
            for key, part in value.items()
            if part is not None
        }
    if isinstance(value, list):
        _limit(depth)
        return [_without_nulls(part, depth + 1) for part in value]
    return value


def _limit(depth: int) -> None:
    if depth >= _MAX_DEPTH:
        raise RecursionError
