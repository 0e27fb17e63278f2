"""What is found out about one of several things that are alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ray_gke.targets.explanation import Cause

LONGEST_LINE = 400
_LONGEST_SENTENCE = 300


@dataclass(frozen=True)
class Finding:
    """A cause of one of several things that are alike; `text` follows their name."""

    text: str
    evidence: tuple[str, ...] = ()
    fix: str = ""
    lasting: bool = False
    since: float | None = None

    def of(self, subject: str) -> Cause:
        """Return the cause that this is for `subject`."""
        what = shortened(f"{subject} {self.text}", _LONGEST_SENTENCE)
        lines = tuple(shortened(line) for line in self.evidence if line)
        return Cause(what, lines, self.fix, self.lasting, self.since)


def merged(findings: Iterable[Finding]) -> Finding:
    """Return what several findings of the same text have in common."""
    first, *others = findings
    moments = [f.since for f in (first, *others) if f.since is not None]
    return replace(
        first,
        lasting=any(f.lasting for f in (first, *others)),
        since=min(moments, default=None),
    )


def shortened(text: str, most: int = LONGEST_LINE) -> str:
    """Return a text on one line that can be read at a glance."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def duration(seconds: float) -> str:
    """Return a time in words: `45 s`, `3 min`."""
    whole = max(0, round(seconds))
    if whole < 120:  # noqa: PLR2004 until then minutes are too coarse
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h"  # noqa: PLR2004
