"""The language of templates: text, and `{{ value | inline }}` in it.

It is Jinja's without statements, calls and other filters. That is checked, since a
catalog may bring its own templates.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ray_gke.errors import InvalidError, Place

ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, keep_trailing_newline=True
)

_MAX_BYTES = 2**16
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Filter,
    nodes.Name,
    nodes.Getattr,
)

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


def parts(file: Path) -> tuple[str | nodes.Filter, ...]:
    """Return the texts of a template, and the values between them.

    Raises InvalidError when it has anything else.
    """
    # A comment leaves its lines, so that lines of the result are lines of the file.
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), _text(file))
    try:
        parsed = ENVIRONMENT.parse(text)
        _check(parsed, file)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise wrong(str(file), str(error), line) from None
    except RecursionError:
        raise too_deep(str(file)) from None
    checked: Any = (
        part.data if isinstance(part, nodes.TemplateData) else part
        for output in parsed.find_all(nodes.Output)
        for part in output.nodes
    )
    return tuple(checked)


def too_deep(file: str) -> InvalidError:
    """Return what to tell of a template that would exhaust the stack."""
    return wrong(file, "the template is nested too deeply")


def wrong(file: str, message: str, line: int | None = None) -> InvalidError:
    """Return what to tell of a template that says something else."""
    return InvalidError(
        message,
        place=Place(file, line),
        hint="a template places values: key: {{ value | inline }}",
    )


def _text(file: Path) -> str:
    try:
        source = file.read_bytes()
        if len(source) > _MAX_BYTES:
            raise wrong(str(file), f"a template has at most {_MAX_BYTES:,} bytes")
        return source.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise wrong(str(file), str(error)) from None


def _check(template: nodes.Template, file: Path) -> None:
    for node in template.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            kind = type(node).__name__
            raise wrong(str(file), f"{kind} is not allowed in a template", node.lineno)
        if isinstance(node, nodes.Filter):
            _check_filter(node, file)
    for output in template.find_all(nodes.Output):
        for part in output.nodes:
            if not isinstance(part, nodes.TemplateData | nodes.Filter):
                raise wrong(str(file), "a value without | inline", part.lineno)


def _check_filter(node: nodes.Filter, file: Path) -> None:
    if node.name != "inline":
        raise wrong(str(file), f"No filter named {node.name!r}.", node.lineno)
    if node.args or node.dyn_args or node.dyn_kwargs:
        raise wrong(str(file), "inline takes nothing in parentheses", node.lineno)
