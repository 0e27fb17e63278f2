"""Words for what is wrong with a field of an object."""

from __future__ import annotations

from ray_gke.rendering.schema_check import Fault, Path
from ray_gke.rendering.templates import Manifest


def message(one: Manifest, fault: Fault) -> str:
    """Return `Kind/name: field: what is wrong`."""
    name = one.get("metadata", {}).get("name", "?")
    return f"{one.get('kind', '?')}/{name}: {field(fault.path)}: {fault.message}"


def field(path: Path) -> str:
    """Return the path as people write it: `spec.containers[0].name`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".") or "object"
