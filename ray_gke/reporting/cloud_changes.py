"""What an `up` would change in Google Cloud, and what others have changed there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ray_gke.reporting import change_text
from ray_gke.reporting.terminal import print_lines, print_rows

_MARKS = {
    "create": "+",
    "update": "~",
    "replace": "-/+",
    "delete": "-",
    "forget": "-",
}


def show(pending: Any) -> None:
    """Print what others have changed, and what would be done, the cluster's last."""
    parts = (pending.cloud, pending.addons)
    drift = [row for part in parts for row in _rows(part.drift)]
    todo = [row for part in parts for row in _rows(part.todo)]
    for title, rows in (
        ("Changed by others", drift),
        ("In Google Cloud and for all runs", todo),
    ):
        if rows:
            print_lines("", [""])
            print_lines(title, [])
            print_rows(rows)
    if not todo:
        print_lines("", ["", "Google Cloud is as it should be"])
    if pending.runs:
        change_text.show(pending.runs)


def document(pending: Any) -> dict[str, Any]:
    """Return the same as plain data."""
    parts = (pending.cloud, pending.addons)
    return {
        "resources": [_resource(one) for part in parts for one in part.todo],
        "drift": [_resource(one) for part in parts for one in part.drift],
        "runs": change_text.document(pending.runs),
    }


def schema() -> dict[str, Any]:
    """Return the JSON Schema of `document`."""
    properties = {
        "address": {"type": "string"},
        "type": {"type": "string"},
        "action": {"enum": list(_MARKS)},
        "attributes": {"type": "array", "items": {"type": "string"}},
    }
    resources = {"type": "array", "items": _closed(properties)}
    properties = {
        "resources": resources,
        "drift": resources,
        "runs": {"type": "array", "items": {"type": "object"}},
    }
    return {
        "anyOf": [_closed(properties), {"type": "null"}],
        "description": "What `up` would do in Google Cloud (`resources`) and to each "
        "run (`runs`), and what others have changed (`drift`). Null but for a platform "
        "on GKE that was brought up, or whose plan is saved.",
    }


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _resource(change: Any) -> dict[str, Any]:
    return {
        "address": change.address,
        "type": change.type,
        "action": change.action,
        "attributes": list(change.attributes),
    }


def _rows(changes: Any) -> Iterator[dict[str, str]]:
    for one in changes:
        yield {
            "": _MARKS[one.action],
            "RESOURCE": one.address,
            "ACTION": one.action,
            "MEANS": ", ".join(one.attributes),
        }
