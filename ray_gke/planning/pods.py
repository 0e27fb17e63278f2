"""What containers beside Ray's ask for: the scheduler counts all of a pod."""

from __future__ import annotations

from dataclasses import dataclass

from ray_gke.gke.resources import GIB, Resources

_UNITS = (("Gi", GIB), ("Mi", 2**20))

HEAD_DEFAULT = Resources(2000, 8 * GIB)
WORKER_DEFAULT = Resources(1000, 4 * GIB)
"""What a group gets that does not say it, and at least of a node with GPUs."""

AUTOSCALER = Resources(500, GIB // 2)
"""The sidecar of the head of a cluster that changes its size."""
SUBMITTER_POD = Resources(500, GIB // 2)
"""The pod that hands a job to Ray."""
WAIT_GCS_READY = Resources(200, GIB // 4)
"""KubeRay's init container of every worker (controllers/ray/common/pod.go)."""


FLUENT_BIT = Resources(50, GIB // 8)
"""The sidecar of every Ray pod whose logs are shipped by it.

Slices of a GPU leave little room beside seven workers.
"""
TLS_CERTIFICATE = Resources(50, GIB // 16)
"""The init container that makes a pod's certificate."""


@dataclass(frozen=True)
class Patched:
    """What a rendered pod with patches asks for: Ray's container, and all of them."""

    ray: Resources
    pod: Resources


def quantities(amounts: Resources) -> dict[str, str]:
    """Return amounts as Kubernetes writes them: `1500m`, `9Gi`."""
    cpu, memory = amounts.cpu_millis, amounts.memory_bytes
    return {
        "cpu": f"{cpu}m" if cpu % 1000 else str(cpu // 1000),
        "memory": next(
            (f"{memory // size}{unit}" for unit, size in _UNITS if memory % size == 0),
            str(memory),
        ),
    }


@dataclass(frozen=True)
class Around:
    """What runs `beside` Ray's container, and `before` it as an init container."""

    beside: Resources = Resources()  # noqa: RUF009 it is frozen
    before: Resources = Resources()  # noqa: RUF009 it is frozen

    def pod(self, ray: Resources) -> Resources:
        """Return what all of a pod asks for (Kubernetes, "Init containers")."""
        return ray.at_least(self.before) + self.beside
