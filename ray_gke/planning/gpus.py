"""What a blueprint's `gpu` means: the shape of its nodes, checked against the facts."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke.catalog.blueprint import Gpu
from ray_gke.catalog.nearest import nearest
from ray_gke.gke.accelerators import ACCELERATORS, Accelerator
from ray_gke.gke.nodes import GpuShape

Fault = tuple[str, str, str]
"""The key inside `gpu` that is wrong, what is wrong, and what to do next."""


def shape(gpu: Gpu) -> GpuShape:
    """Return the shape of the nodes that can run a pod with this `gpu`."""
    sharing = gpu.sharing
    return GpuShape(
        accelerator=gpu.accelerator,
        partition=gpu.partition,
        sharing_strategy=sharing.strategy if sharing else None,
        max_shared_clients_per_gpu=sharing.max_shared_clients_per_gpu
        if sharing
        else None,
    )


def ray_labels(gpu: Gpu) -> dict[str, str]:
    """Return the Ray labels of a worker with this `gpu`.

    Ray finds the accelerator on a running node itself; for a group that scales from
    zero it must be declared. Ray calls every partition a GPU, so that the size of the
    partition is ours to tell.
    """
    labels = {"ray.io/accelerator-type": ACCELERATORS[gpu.accelerator].ray_type}
    return labels | ({"ray-gke/gpu-partition": gpu.partition} if gpu.partition else {})


def faults(gpu: Gpu) -> Iterator[Fault]:
    """Yield what GKE would refuse about `gpu`."""
    accelerator = ACCELERATORS.get(gpu.accelerator)
    if accelerator is None:
        yield _unknown(gpu.accelerator)
    elif gpu.partition and gpu.partition not in accelerator.partitions:
        yield _no_partition(accelerator, gpu.partition)
    else:
        yield from _count(accelerator, gpu)


def _unknown(name: str) -> Fault:
    near = nearest(name, ACCELERATORS)
    known = f"the accelerators are {', '.join(ACCELERATORS)}"
    hint = f"did you mean {near}? {known}" if near else known
    return "accelerator", f"GKE has no accelerator {name}", hint


def _no_partition(accelerator: Accelerator, partition: str) -> Fault:
    if not accelerator.partitions:
        hint = "leave partition out; sharing can put several pods on one GPU"
        return "partition", f"{accelerator.name} has no MIG partitions", hint
    hint = f"its partitions are {', '.join(accelerator.partitions)}"
    return "partition", f"{accelerator.name} has no MIG partition {partition}", hint


def _count(accelerator: Accelerator, gpu: Gpu) -> Iterator[Fault]:
    if gpu.sharing and gpu.sharing.strategy == "time-sharing" and gpu.count > 1:
        yield (
            "count",
            f"a pod on a time-shared GPU gets exactly one, not {gpu.count}",
            "use count 1 with more replicas, or leave sharing out",
        )
        return
    most = max(accelerator.gpus_per_node) * accelerator.partitions.get(
        gpu.partition or "", 1
    )
    if gpu.sharing:
        most = gpu.sharing.max_shared_clients_per_gpu
    if gpu.count > most:
        what = f"{gpu.partition} partitions" if gpu.partition else "GPUs"
        yield (
            "count",
            f"no machine with {accelerator.name} gives one pod {gpu.count} {what}",
            f"use at most {most} for one pod, and more replicas",
        )
