"""YAML files: bytes become plain data that remembers where everything stood."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ray_gke.catalog.yaml_errors import syntax_error
from ray_gke.catalog.yaml_values import Builder, Marks, Steps, key_text
from ray_gke.errors import InvalidError, Place

MAX_BYTES = 2**20

_CONTROL = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Document:
    """The data of a YAML file, a mapping, and the places of all its values."""

    file: str
    data: Mapping[str, Any]
    _marks: Marks = field(repr=False)

    def place(self, path: Steps) -> Place:
        """Return where the value at `path` stands, or would have to stand."""
        here: Any = self.data
        line, column = 1, 1
        for step in path:
            marks = self._marks.get(id(here), {})
            if step not in marks:
                break
            line, column = marks[step]
            here = here[step]
        return Place(self.file, line, column, key_text(path) or None)


def parse(text: bytes, file: str) -> Document:
    """Read a YAML file; `file` is its name in errors.

    Raises InvalidError, with a place, for whatever is wrong with it.
    """
    source = _decode(text, file)
    builder = Builder(file)
    try:
        for event in yaml.parse(source, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.YAMLError as error:
        raise syntax_error(error, source, file) from None
    return Document(file, builder.mapping(), builder.marks)


def _decode(text: bytes, file: str) -> str:
    if len(text) > MAX_BYTES:
        message = "the file is too large"
        raise InvalidError(
            message, place=Place(file), hint=f"at most {MAX_BYTES:,} bytes"
        )
    hint = "save the file as UTF-8"
    if text.startswith(_UTF_16):
        raise InvalidError("the file is UTF-16", place=Place(file, 1, 1), hint=hint)
    try:
        source = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - text.rfind(b"\n", 0, error.start)
        message = f"the byte 0x{text[error.start]:02x} is not UTF-8"
        raise InvalidError(
            message, place=Place(file, line, column), hint=hint
        ) from None
    if found := _CONTROL.search(source):
        line = source.count("\n", 0, found.start()) + 1
        column = found.start() - source.rfind("\n", 0, found.start())
        message = f"the control character U+{ord(found[0]):04X} is not allowed"
        raise InvalidError(
            message, place=Place(file, line, column), hint="remove the character"
        )
    return source


def read(path: Path, file: str) -> Document:
    """Read the YAML file at `path`; `file` is its name in errors."""
    try:
        with path.open("rb") as stream:
            return parse(stream.read(MAX_BYTES + 1), file)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise InvalidError(message, place=Place(file), hint="check the path") from None
