"""A shape in words."""

from __future__ import annotations

from ray_gke.gke.nodes import Shape


def described(shape: Shape) -> str:
    """Return such as `1g.5gb of nvidia-tesla-a100, spot`."""
    words = shape.accelerator or "CPU"
    if shape.partition:
        words = f"{shape.partition} of {words}"
    if shape.sharing_strategy:
        words += f" / {shape.max_shared_clients_per_gpu} ({shape.sharing_strategy})"
    kind = shape.provisioning
    return words if kind == "standard" else f"{words}, {kind}"
