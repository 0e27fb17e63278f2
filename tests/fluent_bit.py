"""Fluent Bit's globs and patterns, read as Fluent Bit reads them.

The program itself is in no package registry. Its globs are glob(3)'s, in which `*`
stops at a slash; its patterns are Onigmo's, in which groups are named `(?<name>...)`.
How lines are joined is src/multiline/flb_ml_rule.c and flb_ml.c of version 5.1.1.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml


@dataclass(frozen=True)
class FluentBit:
    """What a rendered ConfigMap makes of files, by the names of those."""

    configuration: Mapping[str, Any]
    parsers: Mapping[str, Mapping[str, Any]]
    multiline_parsers: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, config_map: Mapping[str, Any]) -> FluentBit:
        """Read the data of a ConfigMap."""
        data = config_map["data"]
        configuration = yaml.safe_load(data["fluent-bit.yaml"])
        file = configuration["service"]["parsers_file"]
        parsers = yaml.safe_load(data[file])
        named = (
            {one["name"]: one for one in parsers[key]}
            for key in ("parsers", "multiline_parsers")
        )
        return cls(configuration, *named)

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

    def records(self, lines: Sequence[str]) -> list[str]:
        """What the input makes of a file's lines, none of them later than others."""
        parser = self.multiline_parsers[self.tail["multiline.parser"]]
        assert parser["type"] == "regex"
        # In milliseconds; less is refused (flb_ml_auto_flush_init).
        assert parser["flush_timeout"] >= 500
        return _Joined(parser["rules"]).of(lines)


@dataclass
class _Joined:
    """The lines of one record so far, and the rule that the last line met."""

    rules: Sequence[Mapping[str, str]]
    buffer: list[str] = field(default_factory=list)
    last: Mapping[str, str] | None = None
    records: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse what flb_ml_rule_create and flb_ml_rule_init refuse."""
        states = [rule["state"] for rule in self.rules]
        assert states[0] == "start_state"
        assert {rule["next_state"] for rule in self.rules} <= set(states)

    def of(self, lines: Sequence[str]) -> list[str]:
        for line in lines:
            self._add(line)
        self._flush()
        return self.records

    def _add(self, line: str) -> None:
        after = self.last["next_state"] if self.last else ""
        met = self._met(line, after) if after != "start_state" else None
        if not met:
            self._flush()
            met = self._met(line, "start_state")
        self.buffer.append(line)
        # A line that meets no rule is a record, and the state is what it was.
        self.last = met or self.last
        if not met or met["next_state"] == "start_state":
            self._flush()

    def _met(self, line: str, state: str) -> Mapping[str, str] | None:
        rules = (rule for rule in self.rules if rule["state"] == state)
        return next((r for r in rules if re.search(as_python(r["regex"]), line)), None)

    def _flush(self) -> None:
        """An empty line alone is no record."""
        if any(self.buffer):
            self.records.append("\n".join(self.buffer))
        self.buffer = []


def as_python(pattern: str) -> str:
    """Return Onigmo's pattern as Python writes it."""
    return re.sub(r"\(\?<(?![=!])", "(?P<", pattern)


def _matches(path: str, glob: str) -> bool:
    names, patterns = path.split("/"), glob.split("/")
    return len(names) == len(patterns) and all(
        map(fnmatch.fnmatchcase, names, patterns)
    )
