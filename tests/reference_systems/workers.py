"""Which workers the reference systems must have, on which nodes.

Written from what the originals made and from what the talk showed.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.reference_systems.systems import GIB

# What pods may ask for on a node of each type: vCPUs and memory of the machine, less
# what GKE reserves of them and what its own DaemonSets take.
ROOM = {
    "a2-highgpu-1g": (11_000, 76 * GIB),
    "e2-standard-4": (3_000, 12 * GIB),
    "e2-standard-8": (7_000, 27 * GIB),
    "g2-standard-16": (15_000, 56 * GIB),
    "n1-standard-16": (15_000, 52 * GIB),
}


@dataclass(frozen=True)
class Group:
    """Workers, each with one GPU, slice or share."""

    machine: str
    selector: dict[str, str]
    replicas: tuple[int, int]
    devices: int = 1
    """GPUs, slices or shares of a node."""
    nodes: int = 1
    spot: bool = False


GROUPS = {
    ("l4-cluster", "gpu"): Group(
        "g2-standard-16", {"accelerator": "nvidia-l4"}, (1, 2), nodes=2
    ),
    ("stable-diffusion", "gpu"): Group(
        "n1-standard-16",
        {
            "accelerator": "nvidia-tesla-t4",
            "gpu-sharing-strategy": "time-sharing",
            "max-shared-clients-per-gpu": "8",
        },
        (1, 8),
        devices=8,
    ),
    ("slices-and-spot", "slices"): Group(
        "a2-highgpu-1g",
        {"accelerator": "nvidia-tesla-a100", "gpu-partition-size": "1g.5gb"},
        (1, 7),
        devices=7,
    ),
    ("slices-and-spot", "spot"): Group(
        "a2-highgpu-1g",
        {"accelerator": "nvidia-tesla-a100", "provisioning": "spot"},
        (1, 2),
        nodes=2,
        spot=True,
    ),
    # Both users' workers are on the same nodes, of two GPUs each.
    **{
        (f"{user}-cluster", "gpu"): Group(
            "n1-standard-16",
            {"accelerator": "nvidia-tesla-t4"},
            (1, 2),
            devices=2,
            nodes=2,
        )
        for user in ("ada", "grace")
    },
}
HEADS = {
    "l4-cluster": "e2-standard-8",
    "stable-diffusion": "e2-standard-4",
    "slices-and-spot": "e2-standard-4",
    "ada-cluster": "e2-standard-8",
    "grace-cluster": "e2-standard-8",
}
