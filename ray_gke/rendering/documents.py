"""Objects as YAML text: the same bytes for the same objects, always.

A string is written without quotes only when readers of YAML 1.1 and 1.2 agree that
it is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ray_gke.rendering.templates import Manifest

_PLAIN = re.compile(
    r"[A-Za-z_/](?:[\w./@-]|:(?=[\w/])|[ ](?=[\w./(-]))*|\d+(?:m|[KMGTP]i?)",
    re.ASCII,
)
_RESERVED = frozenset(
    {"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"}
)
_FIRST = ("apiVersion", "kind", "metadata")


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _string(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None if _is_plain(value) else '"'
    # The emitter itself falls back to quotes where a block would lose characters.
    if "\n" in value.strip("\n") or (value.endswith("\n") and len(value) > 1):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _is_plain(value: str) -> bool:
    return bool(_PLAIN.fullmatch(value)) and value.lower() not in _RESERVED


_Dumper.add_representer(str, _string)


def files(objects: Sequence[Manifest]) -> dict[str, str]:
    """Return one file per object, by names that sort in the order of `objects`."""
    return {
        f"{index:02d}-{one['kind'].lower()}-{one['metadata']['name']}.yaml": text(one)
        for index, one in enumerate(map(_ordered, objects))
    }


def stream(objects: Sequence[Manifest]) -> str:
    """Return all objects as one text of several YAML documents."""
    return "".join(f"---\n{text(_ordered(one))}" for one in objects)


def text(value: Mapping[str, Any]) -> str:
    """Return plain data as YAML."""
    dumped: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=2**20,
    )
    return dumped


def _ordered(one: Manifest) -> Manifest:
    rest = [key for key in one if key not in _FIRST]
    return {key: one[key] for key in (*_FIRST, *rest) if key in one}
