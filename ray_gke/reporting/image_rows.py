"""What `ray-gke images check` tells people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ray_gke.reporting.rows import Rows, duration

_UNKNOWN = "?"
_MARKS = {"yes": "yes", "no": "no", "unknown": _UNKNOWN}


def images(found: Sequence[Any]) -> Rows:
    """Return one row for each image."""
    return [
        {
            "IMAGE": one.image,
            "STREAMS": _MARKS[one.streams],
            "SIZE": _size(one.compressed_bytes),
            "FULL PULL": _time(one.pull_seconds),
        }
        for one in found
    ]


def lines(checked: Any) -> Iterator[str]:
    """Yield what stands below the table."""
    yield from reasons(checked.images)
    yield from (f"warning: {text}" for text in checked.warnings)
    if checked.preload:
        yield f"disk image of nodes with GPUs: {checked.preload.disk_image}"
        yield f"  built in a copy of {checked.preload.source} by"
        yield f"  {checked.preload.command}"


def reasons(found: Sequence[Any]) -> Iterator[str]:
    """Yield what was found of the images, each finding with the images it is about."""
    about: dict[Any, list[str]] = {}
    for one in found:
        for finding in one.findings:
            about.setdefault(finding, []).append(one.image)
    for finding, names in about.items():
        word = {"unknown": _UNKNOWN}.get(finding.state, finding.state)
        yield f"{word}: {finding.text}"
        if len(names) < len(found):
            yield from (f"  {name}" for name in names)
        if finding.hint:
            yield f"  hint: {finding.hint}"


def _size(size: int | None) -> str:
    return _UNKNOWN if size is None else f"{size / 1e6:,.1f} MB"


def _time(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else f"~{duration(seconds)}"
