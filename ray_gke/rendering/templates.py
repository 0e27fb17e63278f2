"""Templates place values into documents, and do nothing else.

A template is Jinja with one construct, `{{ value | inline }}`: no statements, no
calls, no other filters. That is checked, since a catalog may bring its own. What
comes out is read back as an object at once, and a null means: leave the key out.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ray_gke import assets
from ray_gke.catalog.nearest import suggestion
from ray_gke.errors import InvalidError, Place, Problem

Manifest = dict[str, Any]
"""A Kubernetes object, or a part of one, as plain data."""

_MAX_BYTES = 2**16
_MAX_DEPTH = 200
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Filter,
    nodes.Name,
    nodes.Getattr,
)

# JSON is YAML but for the characters that YAML readers refuse or fold.
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


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
        file = self._file(f"{name}.yaml.j2")
        try:
            text = _template(file).render(values)
        except (TemplateError, TypeError, AttributeError) as error:
            raise _wrong(str(file), str(error), _line(error)) from None
        return _parsed(text, str(file))

    def _file(self, name: str) -> Path:
        ours = assets.folder("templates") / name
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


def _of_no_use(folder: Path) -> Iterator[Problem]:
    ours = {file.name for file in assets.folder("templates").glob("*.j2")}
    for file in sorted(folder.glob("*.j2")):
        if file.name not in ours:
            hint = suggestion(file.name, ours)
            yield Problem(f"no template is called {file.name}", Place(str(file)), hint)


def _line(error: Exception) -> int | None:
    """The line of the template in which Jinja's code raised the error."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == "<template>"]
    return lines[-1] if lines else None


def inline(value: object) -> str:
    """Return `value` as JSON in one line that every YAML reader takes as the same."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_plain)
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: object) -> object:
    if isinstance(value, Undefined):
        str(value)  # raises what Jinja has to say about the missing value
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} cannot stand in a document")


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters = {"inline": inline}
    environment.globals = {}
    return environment


@cache
def _template(file: Path) -> Any:
    """The compiled template; files do not change while we run."""
    # A comment leaves its lines, so that lines of the result are lines of the file.
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), _text(file))
    environment = _environment()
    try:
        _check(environment.parse(text), file)
        return environment.from_string(text)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise _wrong(str(file), str(error), line) from None
    except RecursionError:
        raise _wrong(str(file), "the template is nested too deeply") from None


def _text(file: Path) -> str:
    try:
        source = file.read_bytes()
        if len(source) > _MAX_BYTES:
            raise _wrong(str(file), f"a template has at most {_MAX_BYTES:,} bytes")
        return source.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(str(file), str(error)) from None


def _check(template: nodes.Template, file: Path) -> None:
    for node in template.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            kind = type(node).__name__
            raise _wrong(str(file), f"{kind} is not allowed in a template", node.lineno)
    for output in template.find_all(nodes.Output):
        for part in output.nodes:
            if not isinstance(part, nodes.TemplateData | nodes.Filter):
                raise _wrong(str(file), "a value without | inline", part.lineno)


def _wrong(file: str, message: str, line: int | None = None) -> InvalidError:
    return InvalidError(
        message,
        place=Place(file, line),
        hint="a template places values: key: {{ value | inline }}",
    )


def _parsed(text: str, file: str) -> Manifest:
    try:
        if _is_deep(text):
            raise _wrong(file, "the template is nested too deeply")
        value = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        message = f"the template does not give YAML: {getattr(error, 'problem', error)}"
        raise _wrong(file, message, line) from None
    if not isinstance(value, dict):
        raise _wrong(file, "the template does not give an object")
    if _has_alias(value, set()):
        line = _line_of_alias(text)
        raise _wrong(file, "aliases are not allowed in a template", line)
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


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value
