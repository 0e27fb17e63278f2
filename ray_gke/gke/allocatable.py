"""What pods can have of a node: the machine less what GKE, kernel and system take.

Sources: GKE "Plan GKE Standard node sizes" (kube reserve, eviction; right for GKE up
to 1.36, later versions reserve less for few pods), kubernetes/autoscaler
gce_reserved.go of 2026 (kernel of Container-Optimized OS), measured tables of
github.com/hatemosphere's calculator (image streaming). All round against us.
"""

from __future__ import annotations

from functools import cache

from ray_gke.gke.machines import MachineType
from ray_gke.gke.resources import GIB, Resources

MIB = 2**20
SYSTEM_PODS_PER_NODE = 12
PODS_PER_NODE = 110 - SYSTEM_PODS_PER_NODE
"""GKE allows 110 on a node; 12 of them are the system's own."""

SYSTEM_PODS = Resources(850, 6 * GIB // 10)
"""What GKE's DaemonSets ask for on every node, measured: about."""

EVICTION_BYTES = 100 * MIB

_Tiers = tuple[tuple[int | None, int], ...]
"""Up to how many GiB (None: all above), and the share taken, in ten-thousandths."""

_KUBE: _Tiers = ((4, 2500), (8, 2000), (16, 1000), (128, 600), (None, 200))
_IMAGE_STREAMING: _Tiers = (
    (1, 0),
    (4, 100),
    (8, 80),
    (16, 40),
    (128, 24),
    (None, 8),
)
_SMALL_NODE_BYTES = 255 * MIB


@cache
def allocatable(machine_type: MachineType) -> Resources:
    """Return what the kubelet offers to pods on a node of this type."""
    memory = machine_type.memory_bytes
    return Resources(
        machine_type.vcpus * 1000 - kube_cpu_millis(machine_type.vcpus),
        memory
        - kernel_bytes(memory)
        - kube_bytes(memory)
        - image_streaming_bytes(memory)
        - EVICTION_BYTES,
    )


@cache
def usable(machine_type: MachineType) -> Resources:
    """Return what is left of allocatable when the system's own pods run."""
    return allocatable(machine_type) - SYSTEM_PODS


def kube_cpu_millis(vcpus: int) -> int:
    """Return what GKE reserves: 6 % of the first core, 1 %, 0.5 % twice, 0.25 %."""
    tenths = [600, 100, 50, 50][:vcpus] + [25] * (vcpus - 4)
    return -(-sum(tenths) // 10)


def kube_bytes(memory: int) -> int:
    """Return what GKE reserves of a machine's memory."""
    return _SMALL_NODE_BYTES if memory < GIB else _tiered(memory, _KUBE)


def image_streaming_bytes(memory: int) -> int:
    """Return what GKE reserves besides for image streaming."""
    return _tiered(memory, _IMAGE_STREAMING)


def kernel_bytes(memory: int) -> int:
    """Return what the kernel keeps for itself, as the cluster autoscaler guesses."""
    bounce_buffers = 64 * MIB if memory > 3 * GIB else 0
    low_memory = 8 * MIB if memory <= 8 * GIB else 0
    correction = min(memory * 175 // 100_000, 248 * MIB)
    return memory // 64 + 16 * MIB + bounce_buffers + low_memory + correction


def _tiered(memory: int, tiers: _Tiers) -> int:
    reserved, lower = 0, 0
    for upto, share in tiers:
        upper = memory if upto is None else min(memory, upto * GIB)
        reserved += max(0, upper - lower) * share
        lower = max(lower, upper)
    return -(-reserved // 10_000)
