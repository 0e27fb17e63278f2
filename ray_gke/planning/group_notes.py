"""What a user should know about how a group fits, before it costs anything."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.machines import MACHINE_TYPES
from ray_gke.gke.sharing import STRATEGIES
from ray_gke.planning.capacity import NodePool
from ray_gke.planning.no_machine import gib
from ray_gke.planning.node_pools import Pool
from ray_gke.planning.runs import Member


def notes(member: Member, pool: Pool) -> Iterator[str]:
    """Yield the notes of one group."""
    yield from _stranded(member, pool.node_pool)
    yield from _sharing(pool.node_pool)
    yield from _zones(pool)
    yield from _provisioning(pool.node_pool)
    yield from _upgrade(member)


def _stranded(member: Member, pool: NodePool) -> Iterator[str]:
    """Say it where a node has GPUs, slices or shares that its pods cannot use."""
    group = member.group
    assert group.choice
    candidate = group.choice.best
    if not group.num_gpus or candidate.limit == "nvidia.com/gpu":
        return
    have = pool.devices_per_node // group.num_gpus
    lost = pool.devices_per_node - candidate.slots * group.num_gpus
    if candidate.slots >= have or not lost:
        return
    binds = "bind" if candidate.limit == "pods" else "binds"
    yield (
        f"only {candidate.slots * group.num_gpus} of the {pool.devices_per_node} "
        f"{_devices(pool)} of a node can be used: "
        f"{candidate.limit} {binds}, {lost} {'is' if lost == 1 else 'are'} stranded; "
        f"{_way_out(member, pool, have)}"
    )


def _way_out(member: Member, pool: NodePool, have: int) -> str:
    """Name everything that a pod asks too much of: one alone may not be enough."""
    cpu, memory = pool.usable.cpu_millis // have, pool.usable.memory_bytes // have
    pod, beside = member.pod, member.group.beside
    own_cpu, own_memory = cpu - beside.cpu_millis, memory - beside.memory_bytes
    too_much = {
        "CPU": f"{own_cpu // 10 / 100:g} CPU" if pod.cpu_millis > cpu else None,
        "memory": gib(own_memory) if pod.memory_bytes > memory else None,
    }
    asked = {name: least for name, least in too_much.items() if least}
    if not asked:
        return "a node runs no more pods: use fewer shares per GPU"
    least, more = " and ".join(asked.values()), " and ".join(asked)
    return f"ask at most {least} for a pod, or use a machine type with more {more}"


def _devices(pool: NodePool) -> str:
    if pool.sharing_strategy:
        return "shares"
    return "slices" if pool.partition else "GPUs"


def _sharing(pool: NodePool) -> Iterator[str]:
    for name, strategy in STRATEGIES.items():
        if name == pool.sharing_strategy:
            yield strategy.note


def _zones(pool: Pool) -> Iterator[str]:
    accelerator = pool.node_pool.accelerator
    if pool.lacking:
        yield f"{accelerator} is not offered in {', '.join(pool.lacking)}"
    known = ACCELERATORS[accelerator].zones if accelerator else ()
    if known is None:
        yield (
            f"which zones offer {accelerator} is not known here: check with "
            f"gcloud compute accelerator-types list --filter=name={accelerator}"
        )


def _provisioning(pool: NodePool) -> Iterator[str]:
    if pool.queued_provisioning:
        yield (
            "queued provisioning starts nodes for a ProvisioningRequest only, which "
            "Kueue makes: let it manage this namespace"
        )
    gpu = ACCELERATORS[pool.accelerator] if pool.accelerator else None
    if gpu and pool.partition and gpu.mig_needs_reboot:
        yield "a new node restarts once to switch MIG on: its first pods wait longer"
    version = MACHINE_TYPES[pool.machine_type].min_gke_version
    if version:
        yield f"needs GKE {version} or later"


def _upgrade(member: Member) -> Iterator[str]:
    """KubeRay's NewCluster upgrade starts a second cluster beside the first."""
    group = member.group
    if member.run.plan.kind == "service" and group.role == "worker":
        gpus = group.num_gpus * group.max_replicas
        more = f" and {gpus} of nvidia.com/gpu" if gpus else ""
        yield (
            "a change of the service that needs a new cluster runs both for a while: "
            f"up to {group.max_replicas} more pods{more}, beyond the pool's limit"
        )
