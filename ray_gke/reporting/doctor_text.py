"""What `ray-gke doctor` found, for people and as data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ray_gke.reporting.rows import Rows

_MARKS = {"refused": "✗", "warning": "!"}


def show(report: Any) -> None:
    """Print what is in the way first, then what may be; what is fine a line a check.

    A repair stands once below all that it repairs. It is one line, however long, so
    that it can be pasted.
    """
    from ray_gke.reporting import terminal

    for group in report.by_repair():
        for one in group:
            mark = _MARKS[one.status]
            terminal.print_lines(f"{mark} {one.check}: {one.subject}", [one.message])
        if repair := group[0].repair:
            sys.stdout.write(f"  {repair}\n")
        sys.stdout.write("\n")
    if rows := _fine(report.findings):
        terminal.print_table(rows)
        sys.stdout.write("\n")
    sys.stdout.write(report.summary + "\n")


def document(report: Any) -> dict[str, Any]:
    """Return the findings as what JSON can say, and how many are not ok."""
    return {
        "findings": [asdict(one) for one in report.findings],
        "refused": len(report.refused),
        "warnings": len(report.warnings),
    }


def _fine(findings: Sequence[Any]) -> Rows:
    """Return a row for each check with what is fine of it; of many the subjects."""
    by_check: dict[str, list[Any]] = {}
    for one in findings:
        if one.status == "ok":
            by_check.setdefault(one.check, []).append(one)
    return [{"CHECK": check, "FINE": _told(found)} for check, found in by_check.items()]


def _told(found: Sequence[Any]) -> str:
    if len(found) == 1:
        return f"{found[0].subject}: {found[0].message}"
    return ", ".join(one.subject for one in found)
