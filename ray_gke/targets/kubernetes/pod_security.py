"""The level of Pod Security that a namespace for a run's pods enforces."""

from __future__ import annotations

from collections.abc import Iterable

from ray_gke.rendering import pod_security
from ray_gke.rendering.templates import Manifest

LEVEL = "pod-security.kubernetes.io/enforce"
RESTRICTED, PRIVILEGED = "restricted", "privileged"


def level(objects: Iterable[Manifest]) -> str:
    """Return the strictest of the levels we use that takes the pods of all objects."""
    refused = any(True for one in objects for _ in pod_security.violations(one))
    return PRIVILEGED if refused else RESTRICTED
