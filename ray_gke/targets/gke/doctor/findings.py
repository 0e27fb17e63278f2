"""What was looked at, how it is, and what repairs it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ray_gke.errors import Problem, RefusedError

Check = Literal[
    "credentials",
    "project",
    "billing",
    "apis",
    "permissions",
    "quota",
    "zones",
    "version",
    "addresses",
    "names",
    "terraform",
    "state",
    "images",
    "python",
    "ray",
    "machine",
    "cluster",
]
Status = Literal["ok", "warning", "refused"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    `subject` is what it is about, such as the name of a quota. `refused` is what is
    proven to be impossible, `warning` what may be, or what nobody could read. `repair`
    is a command, or a page of Google's console, or what to change in a file.
    """

    check: Check
    subject: str
    status: Status
    message: str
    repair: str | None = None


@dataclass(frozen=True)
class Report:
    """Everything that was found; `off` are APIs that are needed and can be enabled."""

    findings: tuple[Finding, ...]
    off: tuple[str, ...] = field(default=())

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What is in the way."""
        return self._of("refused")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What may be in the way."""
        return self._of("warning")

    def by_repair(self) -> list[list[Finding]]:
        """Return what is in the way and then what may be; together what one repairs."""
        found: dict[object, list[Finding]] = {}
        for one in (*self.refused, *self.warnings):
            key = (one.status, one.repair) if one.repair else one
            found.setdefault(key, []).append(one)
        return list(found.values())

    @property
    def summary(self) -> str:
        """How it is all in all: `2 refused, 1 warning`."""
        refused, warnings = len(self.refused), len(self.warnings)
        plural = "" if warnings == 1 else "s"
        parts = [
            f"{refused} refused" if refused else "",
            f"{warnings} warning{plural}" if warnings else "",
        ]
        return ", ".join(filter(None, parts)) or "nothing is in the way"

    def _of(self, status: Status) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.status == status)


def refusal(report: Report) -> RefusedError | None:
    """Return one error of all that is in the way, each with its repair."""
    if not report.refused:
        return None
    return RefusedError.of(
        [Problem(one.message, hint=one.repair) for one in report.refused]
    )


def warning_texts(report: Report) -> list[str]:
    """Return the warnings as lines: what, and what repairs it."""
    groups = (g for g in report.by_repair() if g[0].status == "warning")
    return ["; ".join(_once(group)) for group in groups]


def _once(group: Sequence[Finding]) -> list[str]:
    texts = [*(one.message for one in group), group[0].repair or ""]
    return [text for text in dict.fromkeys(texts) if text]


def ok(check: Check, subject: str, message: str) -> Finding:
    """Return what is as it should be."""
    return Finding(check, subject, "ok", message)


def warning(
    check: Check, subject: str, message: str, repair: str | None = None
) -> Finding:
    """Return what may be in the way."""
    return Finding(check, subject, "warning", message, repair)


def refused(
    check: Check, subject: str, message: str, repair: str | None = None
) -> Finding:
    """Return what is proven to be impossible."""
    return Finding(check, subject, "refused", message, repair)


def from_problems(
    check: Check, subject: str, status: Status, problems: Iterable[Problem]
) -> list[Finding]:
    """Return what somebody else has found wrong."""
    return [Finding(check, subject, status, one.message, one.hint) for one in problems]
