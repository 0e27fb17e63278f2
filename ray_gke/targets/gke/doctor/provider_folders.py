"""Whether a folder has a provider of Terraform's: which version, for which machine.

Source: Terraform "CLI Configuration" (filesystem_mirror: the unpacked and the packed
layout), "Version Constraints".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<": operator.lt,
}
"""Those of the stacks' own versions.tf."""
_RELEASE = re.compile(r"\d+(\.\d+)*")


def has_provider(
    folders: Sequence[Path], name: str, versions: str, machine: str
) -> bool:
    """Tell whether one of these folders has a provider that Terraform would take.

    `versions` is such as `>= 7.42, < 8`, `machine` such as `linux_amd64`, empty where
    any will do.
    """
    return any(
        _allowed(version, versions) and machine in {"", target}
        for folder in folders
        for found in folder.glob(f"*/hashicorp/{name}")
        for version, target in _there(found, name)
    )


def _there(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield version and machine of each that is there, unpacked or packed."""
    for target in folder.glob("*/*_*"):
        yield target.parent.name, target.name
    packed = re.compile(rf"terraform-provider-{name}_([^_]+)_([^_]+_[^_]+)\.zip")
    for file in folder.glob("*.zip"):
        if found := packed.fullmatch(file.name):
            yield found[1], found[2]


def _allowed(version: str, versions: str) -> bool:
    """Tell whether a release is one of those; one before a release never is."""
    if not _RELEASE.fullmatch(version):
        return False
    rules = (rule.split() for rule in versions.split(","))
    return all(_OPERATORS[how](_parsed(version), _parsed(end)) for how, end in rules)


def _parsed(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
