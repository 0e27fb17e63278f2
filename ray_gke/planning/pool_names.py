"""What a node pool is called: the same settings always give the same name."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from ray_gke.gke.machines import Machine
from ray_gke.gke.nodes import Shape

SYSTEM_POOL = "system"
_LONGEST = 40
"""GKE's limit for the name of a node pool."""
_DIGEST = 6


@dataclass(frozen=True)
class Nodes:
    """Everything that distinguishes the nodes of one pool from those of another.

    `devices` is what a node offers as nvidia.com/gpu, `labels` what pods select on
    that GKE does not set itself.
    """

    shape: Shape
    machine: Machine
    devices: int
    zones: tuple[str, ...]
    placement_policy: str | None
    secondary_boot_disks: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()


def name_of(nodes: Nodes) -> str:
    """Return the name of the pool: what people look for, and a digest of it all."""
    shape = nodes.shape
    content = [
        nodes.machine.type.name,
        nodes.machine.gpus,
        shape.accelerator,
        shape.partition,
        shape.sharing_strategy,
        shape.max_shared_clients_per_gpu,
        shape.provisioning,
        shape.reservation,
        shape.queued_provisioning,
        nodes.zones,
        nodes.placement_policy,
        nodes.secondary_boot_disks,
        nodes.labels,
    ]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_DIGEST]
    readable = "-".join(_words(nodes))[: _LONGEST - _DIGEST - 1].rstrip("-")
    return f"{readable}-{digest}"


def _words(nodes: Nodes) -> list[str]:
    shape, machine = nodes.shape, nodes.machine
    words = [machine.type.name]
    if machine.attached and shape.accelerator:
        model = shape.accelerator.rpartition("-")[2]
        words.append(model if machine.gpus == 1 else f"{machine.gpus}x{model}")
    if shape.partition:
        words.append(shape.partition.replace(".", "-"))
    if shape.max_shared_clients_per_gpu:
        words.append(f"{shape.max_shared_clients_per_gpu}-shares")
    if shape.provisioning != "standard":
        words.append(shape.provisioning)
    return words
