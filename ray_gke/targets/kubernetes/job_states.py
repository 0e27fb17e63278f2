"""How far a RayJob is, in KubeRay's words: its `jobDeploymentStatus`."""

from __future__ import annotations

from ray_gke.rendering.templates import Manifest

VALIDATION_FAILED = "ValidationFailed"
"""The operator does not accept it, so nothing of it was ever made."""

_FAILED = frozenset({"Failed", VALIDATION_FAILED})
_ENDED = _FAILED | {"Complete"}


def has_failed(ray: Manifest | None) -> bool:
    """Tell whether a RayJob is over and did not succeed."""
    return deployment_status(ray) in _FAILED


def has_ended(ray: Manifest | None) -> bool:
    """Tell whether a RayJob is over, in whatever way; other kinds never are."""
    return deployment_status(ray) in _ENDED


def deployment_status(ray: Manifest | None) -> str:
    """Return the word itself; nothing of other kinds, and before KubeRay has seen it.

    Its values are in rayjob_types.go of KubeRay (JobDeploymentStatus).
    """
    status = (ray or {}).get("status") or {}
    return str(status.get("jobDeploymentStatus") or "")
