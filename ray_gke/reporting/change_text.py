"""The changes of an `up` in a cluster, for people and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ray_gke.reporting.terminal import print_lines, print_rows

_MARKS = {
    "create": "+",
    "change": "~",
    "replace": "-/+",
    "prune": "-",
    "unchanged": "",
}
_SHOWN_FIELDS = 3


def show(found: Sequence[Any]) -> None:
    """Print a row for each object that changes, and what that means."""
    rows = [row for run in found for row in _rows(run)]
    if rows:
        print_rows(rows)
    for title, lines in (
        ("", list(_sums(found))),
        ("Before it goes on, --yes is needed", list(_ending(found))),
    ):
        if lines:
            print_lines(title, lines)


def document(found: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the changes as plain data, one entry for each run."""
    return [
        {
            "name": run.wanted.name,
            "namespace": run.wanted.namespace,
            "changes": [_change(change) for change in run.changes],
        }
        for run in found
    ]


def _change(change: Any) -> dict[str, Any]:
    edit = change.edit
    return {
        "action": change.action,
        "kind": change.ref.kind,
        "name": change.ref.name,
        "namespace": change.ref.namespace or None,
        "fields": list(change.fields),
        "means": edit.note if edit else None,
        "new_cluster": bool(edit and edit.new_cluster),
        "more_gpus": edit.gpus if edit else 0,
        "ends_what_runs": change.ends,
    }


def _rows(run: Any) -> Iterator[dict[str, str]]:
    for change in run.changes:
        if change.action != "unchanged":
            yield {
                "": _MARKS[change.action],
                "OBJECT": str(change.ref),
                "NAMESPACE": change.ref.namespace,
                "ACTION": change.action,
                "MEANS": _means(change),
            }


def _means(change: Any) -> str:
    edit, fields = change.edit, change.fields
    shown = ", ".join(fields[:_SHOWN_FIELDS])
    more = len(fields) - _SHOWN_FIELDS
    parts = [
        edit.note if edit else "",
        f"{edit.gpus} more GPUs meanwhile" if edit and edit.gpus else "",
        shown + (f" and {more} more" if more > 0 else ""),
    ]
    return "; ".join(filter(None, parts))


def _sums(found: Sequence[Any]) -> Iterator[str]:
    counts = dict.fromkeys(_MARKS, 0)
    for run in found:
        for change in run.changes:
            counts[change.action] += 1
    if sum(counts.values()) == counts["unchanged"]:
        yield f"nothing to do: {counts['unchanged']} objects are as they should be"
        return
    words = {key: f"to {key}" for key in _MARKS} | {"unchanged": "unchanged"}
    yield ", ".join(f"{n} {words[key]}" for key, n in counts.items() if n)


def _ending(found: Sequence[Any]) -> Iterator[str]:
    for run in found:
        for change in run.changes:
            if change.ends:
                yield f"{change.ref} in namespace {change.ref.namespace} runs now"
