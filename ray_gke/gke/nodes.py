"""What GKE writes on the nodes of a pool, and so what pods select and tolerate.

This is the one author of those words: pod selectors, balloon pods and node pools all
ask here. Sources: kubernetes/autoscaler gce/labels.go, GKE's "Run GPUs in Standard
node pools", "Time-sharing GPUs" and "Spot VMs".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ACCELERATOR = "cloud.google.com/gke-accelerator"
PARTITION = "cloud.google.com/gke-gpu-partition-size"
SHARING = "cloud.google.com/gke-gpu-sharing-strategy"
SHARED_CLIENTS = "cloud.google.com/gke-max-shared-clients-per-gpu"
PROVISIONING = "cloud.google.com/gke-provisioning"
SPOT = "cloud.google.com/gke-spot"
GPU_RESOURCE = "nvidia.com/gpu"
"""GKE's name of a GPU, and also of a MIG partition of one."""

_RECLAIMED = ("spot", "preemptible", "flex-start")
"""Values of PROVISIONING whose nodes Google may take back."""

Provisioning = Literal["standard", "spot"]


@dataclass(frozen=True)
class GpuShape:
    """What equal GPU nodes have in common: a node pool's GPU settings."""

    accelerator: str
    partition: str | None = None
    sharing_strategy: Literal["time-sharing", "mps"] | None = None
    max_shared_clients_per_gpu: int | None = None


def gpu_labels(shape: GpuShape) -> dict[str, str]:
    """Return the labels that GKE puts on nodes because of their GPUs."""
    labels = {
        ACCELERATOR: shape.accelerator,
        PARTITION: shape.partition,
        SHARING: shape.sharing_strategy,
        SHARED_CLIENTS: _text(shape.max_shared_clients_per_gpu),
    }
    return {key: value for key, value in labels.items() if value is not None}


def selector(shape: GpuShape | None, provisioning: Provisioning) -> dict[str, str]:
    """Return the node labels that a pod of this shape needs."""
    spot = {PROVISIONING: "spot"} if provisioning == "spot" else {}
    return {**(gpu_labels(shape) if shape else {}), **spot}


def affinity(
    shape: GpuShape | None, provisioning: Provisioning
) -> tuple[Mapping[str, object], ...]:
    """Return the expressions that keep a pod off nodes of another shape.

    They only say what a node must not be, so that they hold on any cluster. A node
    whose GPU is divided carries the labels of a whole one and more: the selector of
    a whole GPU alone would match it.
    """
    expressions: list[Mapping[str, object]] = []
    if shape:
        labels = gpu_labels(shape)
        expressions += [
            {"key": key, "operator": "DoesNotExist"}
            for key in (PARTITION, SHARING)
            if key not in labels
        ]
    if provisioning == "standard":
        expressions.append(
            {"key": PROVISIONING, "operator": "NotIn", "values": list(_RECLAIMED)}
        )
    return tuple(expressions)


def tolerations(
    shape: GpuShape | None, provisioning: Provisioning
) -> tuple[Mapping[str, str], ...]:
    """Return what a pod must tolerate to run on nodes of this shape.

    GKE adds the one for GPUs itself, other clusters do not; nobody adds the one for
    Spot.
    """
    gpu = {"key": GPU_RESOURCE, "operator": "Exists", "effect": "NoSchedule"}
    spot = {"key": SPOT, "operator": "Equal", "value": "true", "effect": "NoSchedule"}
    return (*([gpu] if shape else []), *([spot] if provisioning == "spot" else []))


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
