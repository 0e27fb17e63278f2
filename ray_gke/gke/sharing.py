"""How several pods share one GPU, or one partition of it.

Sources: kubernetes/autoscaler gce (limits of clients), container-engine-accelerators
pkg/gpu/nvidia/gpusharing (what a container may ask for), GKE "Time-sharing GPUs" and
"NVIDIA MPS", Terraform's google provider 7.46 (gpu_sharing_strategy).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ray_gke.gke.nodes import SharingStrategy

MIN_CLIENTS = 2
MAX_CLIENTS = 48

Isolation = Literal["hardware", "software", "none"]
ISOLATION: tuple[Isolation, ...] = get_args(Isolation)
"""From the strictest on."""


@dataclass(frozen=True)
class Strategy:
    """A way of sharing.

    `label` is its value on nodes, `terraform` in gpu_sharing_strategy. MPS limits
    each client's memory (`isolation` software), time-sharing nothing (none).
    `several_on_one_device`: a pod may ask for more than one share where the node has
    exactly one GPU or partition. `note` is what a user must know about it.
    """

    label: SharingStrategy
    terraform: str
    host_ipc: bool
    isolation: Isolation
    several_on_one_device: bool
    note: str


STRATEGIES: Mapping[SharingStrategy, Strategy] = {
    one.label: one
    for one in (
        Strategy(
            "time-sharing",
            "TIME_SHARING",
            host_ipc=False,
            isolation="none",
            several_on_one_device=False,
            note="time-sharing does not limit memory: a pod can take all of the GPU's",
        ),
        Strategy(
            "mps",
            "MPS",
            host_ipc=True,
            isolation="software",
            several_on_one_device=True,
            note="MPS limits memory in software, and its pods share the host's IPC, "
            "which a namespace with Pod Security baseline or restricted refuses",
        ),
    )
}


def isolating(least: Isolation) -> Iterator[tuple[SharingStrategy, int]]:
    """Yield the strategies that keep pods apart at least so, with their ranks.

    A rank counts from the strictest isolation on.
    """
    for strategy, facts in STRATEGIES.items():
        rank = ISOLATION.index(facts.isolation)
        if rank <= ISOLATION.index(least):
            yield strategy, rank
