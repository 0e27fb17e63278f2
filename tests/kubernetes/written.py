"""What ray-gke has written, as the API server has it."""

from __future__ import annotations

import json

from tests.cluster.bed import Bed


def written(cluster: Bed, namespace: str = "") -> list[str]:
    """Return our requests that have written; of a namespace, or of all.

    Neither trials nor questions about rights, which leave nothing.
    """
    found = []
    for line in cluster.control_plane.audit_log.read_text().splitlines():
        event = json.loads(line)
        where = event.get("objectRef", {}).get("namespace", "")
        request = f"{event['verb']} {event['requestURI']}"
        ours = event.get("userAgent", "").startswith("ray-gke/")
        asks = "dryRun=" in request or "/selfsubject" in request
        if ours and not asks and namespace in {where, ""}:
            found.append(request)
    return found
