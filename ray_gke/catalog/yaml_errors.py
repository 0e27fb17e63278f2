"""What is wrong with a YAML file, in words for people who do not know the parser."""

from __future__ import annotations

from typing import Any

import yaml

from ray_gke.errors import InvalidError, Place

_EXPRESSION = 'put an expression in quotes: key: "{{ name }}"'
_WORDS = (
    (
        "mapping values are not allowed",
        "a ':' stands where no key can be",
        "check the indentation, and put text that contains ': ' in quotes",
    ),
    (
        "could not find expected ':'",
        "a key without ':'",
        "write key: value, with a space after ':'",
    ),
    (
        "did not find expected key",
        "a key was expected here",
        "check the indentation: keys of one level begin in the same column",
    ),
    (
        "did not find expected '-' indicator",
        "an entry of a list was expected here",
        "check the indentation: the '-' of one list stand in the same column",
    ),
    ("found unexpected end of stream", "a quote is not closed", "close the quote"),
    (
        "did not find expected ',' or",
        "a bracket is not closed",
        "close it, or add a ','",
    ),
    (
        "cannot start any token",
        "a value cannot begin with this character",
        "put the value in quotes",
    ),
    (
        "found undefined tag handle",
        "an unknown tag",
        "remove the '!' or quote the value",
    ),
    (
        "block sequence entries are not allowed",
        "a list cannot begin here",
        "begin it on a line of its own",
    ),
)


def syntax_error(error: yaml.YAMLError, text: str, file: str) -> InvalidError:
    """Return the parser's error with its place and a hint."""
    mark = _mark(error)
    if mark is None:
        return InvalidError(f"not YAML: {error}", place=Place(file))
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    message, hint = _words(str(getattr(error, "problem", "")), line, mark.column)
    return InvalidError(
        message, place=Place(file, mark.line + 1, mark.column + 1), hint=hint
    )


def _mark(error: yaml.YAMLError) -> Any:
    problem = str(getattr(error, "problem", ""))
    # Of a quote or bracket that is not closed the beginning helps, not the end.
    unclosed = "end of stream" in problem or "',' or" in problem
    names = ("problem_mark", "context_mark")
    marks = [getattr(error, name, None) for name in names[:: -1 if unclosed else 1]]
    return marks[0] or marks[1]


def _words(problem: str, line: str, column: int) -> tuple[str, str]:
    margin = line[: len(line) - len(line.lstrip())]
    if "\t" in margin or line[column : column + 1] == "\t":
        return "a tab cannot be used for indentation", "use spaces"
    if "{{" in line and '"{{' not in line and "'{{" not in line:
        return "an expression that is not in quotes", _EXPRESSION
    for part, message, hint in _WORDS:
        if part in problem:
            return message, hint
    return f"not YAML: {problem}", "check the indentation, brackets and quotes"
