"""What every pod and container may do: what Pod Security "restricted" allows."""

from __future__ import annotations

POD_SECURITY_CONTEXT = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 100,
    "fsGroup": 100,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What Pod Security "restricted" asks; 1000 and 100 are the image's user and group."""

CONTAINER_SECURITY_CONTEXT = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
