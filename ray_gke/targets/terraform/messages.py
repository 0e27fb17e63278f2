"""What Terraform says with `-json`, one object a line, as values.

Source: Terraform "Machine-Readable UI", format 1.2; OpenTofu writes the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Diagnostic:
    """An error or a warning; `address` is that of the resource, if it is about one."""

    severity: str
    summary: str
    detail: str = ""
    address: str = ""

    @property
    def text(self) -> str:
        """Return all that it says, in one line."""
        return " ".join(f"{self.summary}: {self.detail}".rstrip(": ").split())


@dataclass(frozen=True)
class Work:
    """A resource that is worked on.

    `state` is `started`, `working`, `done` or `failed`; `action` what is done in
    Terraform's word: create, update, delete or read. `seconds` since it began.
    """

    state: str
    address: str
    action: str
    seconds: float = 0.0


Message = Diagnostic | Work

_STATES = {
    "apply_start": "started",
    "apply_progress": "working",
    "apply_complete": "done",
    "apply_errored": "failed",
}


def parse(line: str) -> Message | None:
    """Return what a line says, None when it is about nothing that is followed here.

    A line that is not JSON is an error that Terraform met before it knew of `-json`.
    """
    try:
        said: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    kind = said.get("type")
    if kind == "diagnostic":
        return diagnostic(said["diagnostic"])
    if kind in _STATES:
        hook = said["hook"]
        return Work(
            _STATES[kind],
            hook["resource"]["addr"],
            hook.get("action", ""),
            float(hook.get("elapsed_seconds", 0)),
        )
    return None


def diagnostic(said: Mapping[str, Any]) -> Diagnostic:
    """Return a diagnostic as Terraform writes it in JSON."""
    return Diagnostic(
        said.get("severity", "error"),
        said.get("summary", ""),
        said.get("detail") or "",
        said.get("address") or "",
    )
