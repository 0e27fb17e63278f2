"""Fluent Bit's globs and patterns, read as Fluent Bit reads them.

The program itself is in no package registry. Its globs are glob(3)'s, in which `*`
stops at a slash; its patterns are Onigmo's, in which groups are named `(?<name>...)`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True)
class FluentBit:
    """What a rendered ConfigMap makes of files, by the names of those."""

    configuration: Mapping[str, Any]
    parsers: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, config_map: Mapping[str, Any]) -> FluentBit:
        """Read the data of a ConfigMap."""
        data = config_map["data"]
        configuration = yaml.safe_load(data["fluent-bit.yaml"])
        file = configuration["service"]["parsers_file"]
        parsers = yaml.safe_load(data[file])["parsers"]
        return cls(configuration, {one["name"]: one for one in parsers})

    @property
    def tail(self) -> Mapping[str, Any]:
        """The one input."""
        (one,) = self.configuration["pipeline"]["inputs"]
        found: Mapping[str, Any] = one
        return found

    def filter_of(self, key: str) -> Mapping[str, Any]:
        """The parser filter of a field."""
        filters = self.configuration["pipeline"]["filters"]
        (one,) = (each for each in filters if each.get("key_name") == key)
        found: Mapping[str, Any] = one
        return found

    def reads(self, path: str) -> int:
        """How many of the globs match a path."""
        return sum(_matches(path, glob) for glob in self.tail["path"].split(","))

    def fields(self, path: str) -> dict[str, str]:
        """What the pattern of file names makes of a path, without absent groups."""
        parser = self.parsers[self.filter_of(self.tail["path_key"])["parser"]]
        found = re.search(as_python(parser["regex"]), path)
        assert found, path
        return {k: value for k, value in found.groupdict().items() if value}


def as_python(pattern: str) -> str:
    """Return Onigmo's pattern as Python writes it."""
    return re.sub(r"\(\?<(?![=!])", "(?P<", pattern)


def _matches(path: str, glob: str) -> bool:
    names, patterns = path.split("/"), glob.split("/")
    return len(names) == len(patterns) and all(
        map(fnmatch.fnmatchcase, names, patterns)
    )
