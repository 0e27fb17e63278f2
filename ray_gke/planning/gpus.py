"""What a group's `gpu` means, and everything that GKE would refuse about the group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ray_gke.catalog.gpu import Gpu
from ray_gke.catalog.groups import Group
from ray_gke.catalog.nearest import nearest
from ray_gke.catalog.quantities import number
from ray_gke.gke.accelerators import ACCELERATORS, Accelerator
from ray_gke.gke.machines import machines
from ray_gke.gke.nodes import Shape
from ray_gke.planning import rules
from ray_gke.planning.rules import Fault
from ray_gke.planning.site import Site


def shape(gpu: Gpu | None) -> Shape:
    """Return what `gpu` says of its nodes' shape; by need this is the choice's."""
    if gpu is None:
        return Shape()
    sharing = gpu.sharing
    return Shape(
        accelerator=gpu.accelerator,
        partition=gpu.partition,
        sharing_strategy=sharing.strategy if sharing else None,
        max_shared_clients_per_gpu=sharing.max_shared_clients_per_gpu
        if sharing
        else None,
    )


def ray_labels(shape: Shape) -> dict[str, str]:
    """Return the Ray labels of a worker on nodes of this shape.

    Ray finds the accelerator on a running node itself; for a group that scales from
    zero it must be declared. Ray calls every partition a GPU, so that the size of the
    partition is ours to tell.
    """
    gpu = ACCELERATORS.get(shape.accelerator or "")
    labels = {"ray.io/accelerator-type": gpu.ray_type} if gpu else {}
    if shape.partition:
        labels["ray-gke/gpu-partition"] = shape.partition
    return labels


def faults(group: Group, site: Site) -> Iterator[Fault]:
    """Yield what GKE would refuse about `group`, with its place inside it."""
    wrong = list(_gpu(group)) if group.gpu else []
    yield from wrong
    yield from rules.provisioning(group)
    yield from rules.warm(group)
    if not any(path[1] in {"accelerator", "accelerators"} for path, _, _ in wrong):
        yield from rules.machine_type(group)
        yield from rules.places(group, site)
    if not wrong:
        yield from rules.count(group)


def _gpu(group: Group) -> Iterator[Fault]:
    gpu = group.gpu
    assert gpu is not None
    if gpu.memory:
        yield from _by_need(gpu)
        return
    accelerator = ACCELERATORS.get(gpu.accelerator or "")
    if accelerator is None:
        yield _unknown(("gpu", "accelerator"), gpu.accelerator or "")
    elif gpu.partition and gpu.partition not in accelerator.partitions:
        yield _no_partition(accelerator, gpu.partition)
    else:
        yield from _count(accelerator, gpu)


def _by_need(gpu: Gpu) -> Iterator[Fault]:
    assert gpu.memory is not None
    unknown = [name for name in gpu.accelerators or () if name not in ACCELERATORS]
    for name in unknown:
        index = (gpu.accelerators or ()).index(name)
        yield _unknown(("gpu", "accelerators", index), name)
    if unknown:
        return
    among = [ACCELERATORS[name] for name in gpu.accelerators or ACCELERATORS]
    largest = max(among, key=lambda gpu: gpu.memory_bytes)
    if number(gpu.memory) > largest.memory_bytes:
        most = largest.memory_bytes // 2**30
        yield (
            ("gpu", "memory"),
            (
                f"no GPU {'of these ' if gpu.accelerators else ''}has {gpu.memory}: "
                f"the largest, {largest.name}, has {most}Gi"
            ),
            f"ask at most {most}Gi for each GPU, and more of them with count",
        )
    most_gpus = max(_most_gpus(each) for each in among)
    slices = [p.per_gpu for each in among for p in each.partitions.values()]
    if gpu.count > most_gpus * max(slices, default=1):
        yield (
            ("gpu", "count"),
            f"no machine gives one pod {gpu.count} of these GPUs",
            f"use at most {most_gpus} for one pod, and more replicas",
        )


def _unknown(path: rules.Path, name: str) -> Fault:
    near = _alike(name)
    known = f"the accelerators are {', '.join(ACCELERATORS)}"
    hint = f"did you mean {' or '.join(near)}? {known}" if near else known
    return path, f"GKE has no accelerator {name}", hint


def _alike(name: str) -> list[str]:
    """Return those of the same model, or with a word that is spelt much like it."""
    words = {name: _words(f"{name} {gpu.model}") for name, gpu in ACCELERATORS.items()}
    asked = _words(name)
    most = max(len(asked & known) for known in words.values())
    if most:
        return [each for each, known in words.items() if len(asked & known) == most]
    spelt = {nearest(word, set().union(*words.values())) for word in asked}
    return [each for each, known in words.items() if spelt & known]


def _words(text: str) -> set[str]:
    """GKE says nvidia of all of them, and tesla of some."""
    words = text.lower().replace("-", " ").split()
    return {word for word in words if word not in {"nvidia", "tesla"}}


def _no_partition(accelerator: Accelerator, partition: str) -> Fault:
    path: rules.Path = ("gpu", "partition")
    if not accelerator.partitions:
        divisible = [one.name for one in ACCELERATORS.values() if one.partitions]
        hint = (
            "leave partition out, with sharing for several pods on one GPU, or use "
            f"an accelerator that has partitions, such as {divisible[0]}"
        )
        message = f"{accelerator.name} has no MIG partitions, so not {partition}"
        return path, message, hint
    hint = f"its partitions are {', '.join(accelerator.partitions)}"
    reason = accelerator.refused_partitions.get(partition)
    message = (
        f"GKE refuses {partition} on {accelerator.name}: {reason}"
        if reason
        else f"{accelerator.name} has no MIG partition {partition}"
    )
    return path, message, hint


def _count(accelerator: Accelerator, gpu: Gpu) -> Iterator[Fault]:
    path: rules.Path = ("gpu", "count")
    per_gpu = accelerator.partitions[gpu.partition].per_gpu if gpu.partition else 1
    if gpu.sharing and gpu.count > 1:
        yield from _shared_count(accelerator, gpu, per_gpu)
        return
    most = _most_gpus(accelerator) * per_gpu
    if gpu.count > most:
        what = rules.counted(gpu.count, gpu.partition)
        yield (
            path,
            f"no machine with {accelerator.name} gives one pod {what}",
            f"use at most {most} for one pod, and more replicas",
        )


def _shared_count(accelerator: Accelerator, gpu: Gpu, per_gpu: int) -> Iterator[Fault]:
    """Only MPS on a node with one device gives a pod more than one share."""
    assert gpu.sharing is not None
    clients = gpu.sharing.max_shared_clients_per_gpu
    path: rules.Path = ("gpu", "count")
    if gpu.sharing.strategy == "time-sharing":
        yield (
            path,
            f"a pod on a time-shared GPU gets exactly one, not {gpu.count}",
            "use count: 1 with more replicas, or leave sharing out",
        )
    elif not any(m.gpus * per_gpu == 1 for m in machines(accelerator.name)):
        what = f" in {gpu.partition}" if gpu.partition else ""
        yield (
            path,
            (
                f"with MPS a pod gets {gpu.count} only where the node has exactly one "
                f"GPU or partition, and no machine has one {accelerator.name}{what}"
            ),
            "use count: 1 with more replicas, or leave sharing out",
        )
    elif gpu.count > clients:
        yield (
            path,
            f"one pod cannot have {gpu.count} of {clients} shares",
            f"use count: {clients} or less, or more max_shared_clients_per_gpu",
        )


def _most_gpus(accelerator: Accelerator) -> int:
    counts: Iterable[int] = (m.gpus for m in machines(accelerator.name))
    return max(counts)
