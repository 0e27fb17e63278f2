"""What ray-gke has written, as the API server has it."""

from __future__ import annotations

import json

from tests.cluster.bed import Bed


def written(cluster: Bed, namespace: str = "") -> list[str]:
    """Return our requests that write, trials among them; of a namespace, or of all."""
    found = []
    for line in cluster.control_plane.audit_log.read_text().splitlines():
        event = json.loads(line)
        where = event.get("objectRef", {}).get("namespace", "")
        if event["userAgent"].startswith("ray-gke/") and namespace in {where, ""}:
            found.append(f"{event['verb']} {event['requestURI']}")
    return found
