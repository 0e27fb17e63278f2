"""The GPUs that GKE offers, and how each can be divided.

Sources: kubernetes/autoscaler cluster-autoscaler/cloudprovider/gce (partition
table), GoogleCloudPlatform/container-engine-accelerators pkg/gpu/nvidia/mig,
Compute Engine's machine types, ray/util/accelerators/accelerators.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Accelerator:
    """One of GKE's accelerator types.

    `ray_type` is Ray's name of it, `gpus_per_node` what machines carry, `partitions`
    the MIG sizes that GKE accepts and how many of each one GPU gives.
    """

    name: str
    ray_type: str
    gpus_per_node: tuple[int, ...]
    partitions: Mapping[str, int] = field(default_factory=dict)


_H100_PARTITIONS = {
    "1g.10gb": 7,
    "1g.20gb": 4,
    "2g.20gb": 3,
    "3g.40gb": 2,
    "7g.80gb": 1,
}

ACCELERATORS: Mapping[str, Accelerator] = {
    accelerator.name: accelerator
    for accelerator in (
        Accelerator(
            "nvidia-tesla-a100",
            "A100",
            (1, 2, 4, 8, 16),
            {"1g.5gb": 7, "2g.10gb": 3, "3g.20gb": 2, "7g.40gb": 1},
        ),
        Accelerator(
            "nvidia-a100-80gb",
            "A100",
            (1, 2, 4, 8),
            {"1g.10gb": 7, "2g.20gb": 3, "3g.40gb": 2, "7g.80gb": 1},
        ),
        Accelerator("nvidia-h100-80gb", "H100", (1, 2, 4, 8), _H100_PARTITIONS),
        Accelerator("nvidia-h100-mega-80gb", "H100", (8,), _H100_PARTITIONS),
        Accelerator(
            "nvidia-h200-141gb",
            "H200",
            (8,),
            {"1g.18gb": 7, "1g.35gb": 4, "2g.35gb": 3, "3g.71gb": 2, "7g.141gb": 1},
        ),
        Accelerator(
            "nvidia-b200",
            "B200",
            (8,),
            {"1g.23gb": 7, "1g.45gb": 4, "2g.45gb": 3, "3g.90gb": 2, "7g.180gb": 1},
        ),
        Accelerator(
            "nvidia-gb200",
            "GB200",
            (4,),
            {"1g.23gb": 7, "1g.47gb": 4, "2g.47gb": 3, "3g.93gb": 2, "7g.186gb": 1},
        ),
        Accelerator("nvidia-gb300", "GB300", (4,)),
        Accelerator("nvidia-l4", "L4", (1, 2, 4, 8)),
        Accelerator(
            "nvidia-rtx-pro-6000",
            "RTX-PRO-6000",
            (1, 2, 4, 8),
            {"1g.24gb": 4, "2g.48gb": 2, "4g.96gb": 1},
        ),
        Accelerator("nvidia-tesla-t4", "T4", (1, 2, 4)),
        Accelerator("nvidia-tesla-v100", "V100", (1, 2, 4, 8)),
        Accelerator("nvidia-tesla-p100", "P100", (1, 2, 4)),
        Accelerator("nvidia-tesla-p4", "P4", (1, 2, 4)),
    )
}
