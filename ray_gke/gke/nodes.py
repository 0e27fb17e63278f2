"""What GKE writes on the nodes of a pool, and so what pods select and tolerate.

This is the one author of those words: pod selectors, balloon pods and node pools all
ask here. Sources: kubernetes/autoscaler gce/labels.go, GKE's "Run GPUs in Standard
node pools", "Time-sharing GPUs", "Spot VMs" and "Flex-start".
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
QUEUED = "cloud.google.com/gke-queued"
RESERVATION = "cloud.google.com/reservation-name"
NODE_POOL = "cloud.google.com/gke-nodepool"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"
GPU_RESOURCE = "nvidia.com/gpu"
"""GKE's name of a GPU, and also of a MIG partition of one."""

_RECLAIMED = ("spot", "preemptible", "flex-start")
"""Values of PROVISIONING whose nodes Google may take back."""

Provisioning = Literal["standard", "spot", "flex-start", "reservation"]
SharingStrategy = Literal["time-sharing", "mps"]


@dataclass(frozen=True, order=True)
class Shape:
    """What nodes must have in common to run the same pods, but for their size.

    `reservation` is the name of one, `queued_provisioning` Terraform's block.
    """

    accelerator: str | None = None
    partition: str | None = None
    sharing_strategy: SharingStrategy | None = None
    max_shared_clients_per_gpu: int | None = None
    provisioning: Provisioning = "standard"
    reservation: str | None = None
    queued_provisioning: bool = False


@dataclass(frozen=True)
class Taint:
    """A taint as Kubernetes spells it."""

    key: str
    value: str
    effect: str = "NoSchedule"


def labels(shape: Shape) -> dict[str, str]:
    """Return the labels of the shape's nodes that pods may select on."""
    gke = {
        ACCELERATOR: shape.accelerator,
        PARTITION: shape.partition,
        SHARING: shape.sharing_strategy,
        SHARED_CLIENTS: _text(shape.max_shared_clients_per_gpu),
        PROVISIONING: "standard"
        if shape.provisioning == "reservation"
        else shape.provisioning,
        RESERVATION: shape.reservation,
    }
    return {key: value for key, value in gke.items() if value} | own_labels(shape)


def own_labels(shape: Shape) -> dict[str, str]:
    """Return the labels that a node pool must set itself; GKE sets the others."""
    return {QUEUED: "true"} if shape.queued_provisioning else {}


_RESERVED = ("cloud.google.com", "gke.io", "kubernetes.io", "k8s.io")
"""Domains of labels that only GKE and Kubernetes set."""


def is_reserved(key: str) -> bool:
    """Tell whether a node pool may not set this label itself."""
    domain = key.rpartition("/")[0]
    return any(domain == one or domain.endswith(f".{one}") for one in _RESERVED)


def automatic_labels(
    shape: Shape, machine_type: str, region: str, zones: tuple[str, ...]
) -> dict[str, str]:
    """Return the reserved labels of a pool's nodes, beside the pool's name.

    The zone only where there is one.
    """
    family = machine_type.partition("-")[0]
    known = {
        INSTANCE_TYPE: machine_type,
        "cloud.google.com/machine-family": family,
        "cloud.google.com/gke-gpu": "true" if shape.accelerator else "",
        SPOT: "true" if shape.provisioning == "spot" else "",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zones[0] if len(zones) == 1 else "",
    }
    return labels(shape) | {key: value for key, value in known.items() if value}


def taints(shape: Shape) -> tuple[Taint, ...]:
    """Return the taints that a node pool declares, so that only its pods get there.

    GKE adds the GPU's only when another pool was there before, and that of Spot never
    to a pool that is made by hand.
    """
    gpu = Taint(GPU_RESOURCE, "present")
    spot = Taint(SPOT, "true")
    return (
        *([gpu] if shape.accelerator else []),
        *([spot] if shape.provisioning == "spot" else []),
    )


def selector(shape: Shape) -> dict[str, str]:
    """Return the node labels that a pod of this shape needs.

    On-demand nodes are not selected by PROVISIONING, so that the pods run on any
    cluster; `affinity` keeps them off the others.
    """
    on_demand = shape.provisioning in {"standard", "reservation"}
    return {
        key: value
        for key, value in labels(shape).items()
        if not (key == PROVISIONING and on_demand)
    }


def affinity(shape: Shape) -> tuple[Mapping[str, object], ...]:
    """Return the expressions that keep a pod off nodes of another shape.

    They only say what a node must not be, so that they hold on any cluster. A node
    whose GPU is divided carries the labels of a whole one and more: the selector of
    a whole GPU alone would match it.
    """
    expressions: list[Mapping[str, object]] = []
    if shape.accelerator:
        expressions += [
            {"key": key, "operator": "DoesNotExist"}
            for key in (PARTITION, SHARING)
            if key not in labels(shape)
        ]
    if shape.provisioning in {"standard", "reservation"}:
        expressions.append(
            {"key": PROVISIONING, "operator": "NotIn", "values": list(_RECLAIMED)}
        )
    return tuple(expressions)


def tolerations(shape: Shape) -> tuple[Mapping[str, str], ...]:
    """Return what a pod must tolerate to run on nodes of this shape.

    GKE adds the one for GPUs itself, other clusters do not; nobody adds the one for
    Spot.
    """
    gpu = {"key": GPU_RESOURCE, "operator": "Exists", "effect": "NoSchedule"}
    spot = {"key": SPOT, "operator": "Equal", "value": "true", "effect": "NoSchedule"}
    return (
        *([gpu] if shape.accelerator else []),
        *([spot] if shape.provisioning == "spot" else []),
    )


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
