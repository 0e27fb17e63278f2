"""What GKE would refuse about a group's machines, provisioning and zones."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke.catalog.gpu import Gpu
from ray_gke.catalog.groups import Group, WorkerGroup
from ray_gke.catalog.nearest import suggestion
from ray_gke.gke.accelerators import ACCELERATORS
from ray_gke.gke.machines import MACHINE_TYPES, Machine, machines
from ray_gke.gke.nodes import Provisioning
from ray_gke.gke.zones import offered, region_of
from ray_gke.planning.divisions import available
from ray_gke.planning.need import kinds
from ray_gke.planning.site import Site

Path = tuple[str | int, ...]
Fault = tuple[Path, str, str]
"""Where in the group, what is wrong, and what to do next."""


def provisioning(group: Group) -> Iterator[Fault]:
    """Yield kinds of virtual machines that do not go with the rest of the group."""
    if not isinstance(group, WorkerGroup):
        return
    asked = kinds(group)
    reserved = "reservation" in asked
    others = [kind for kind in asked if kind != "reservation"]
    if reserved and others:
        yield (
            ("provisioning",),
            f"reservation does not go with {', '.join(others)} in one group",
            "use provisioning: reservation alone, or leave reservation out",
        )
    elif group.reservation and not reserved:
        yield (
            ("reservation",),
            (
                f"{' or '.join(asked)} nodes cannot consume reservation "
                f"{group.reservation}"
            ),
            "use provisioning: reservation, or leave reservation out",
        )
    elif reserved and not group.reservation:
        yield (
            ("provisioning",),
            "provisioning reservation needs the name of one",
            "add reservation: NAME, or use provisioning: standard",
        )
    if group.queued_provisioning and (reserved or "spot" in asked):
        wrong = "reservation" if reserved else "spot"
        yield (
            ("queued_provisioning",),
            f"queued_provisioning does not go with provisioning {wrong}",
            (
                "use provisioning: flex-start or standard, or leave "
                "queued_provisioning out"
            ),
        )


def warm(group: Group) -> Iterator[Fault]:
    """Yield warm replicas on nodes that balloons cannot bring."""
    if not isinstance(group, WorkerGroup):
        return
    if group.queued_provisioning and group.warm_replicas:
        yield (
            ("warm_replicas",),
            (
                "balloon pods bring no nodes with queued_provisioning, which waits for "
                "a ProvisioningRequest"
            ),
            "use warm_replicas: 0, or leave queued_provisioning out",
        )


def machine_type(group: Group) -> Iterator[Fault]:
    """Yield what is wrong with the machine type, or with all there could be."""
    name, path = group.machine_type, ("machine_type",)
    known = MACHINE_TYPES.get(name or "")
    if name and known is None:
        hint = suggestion(name, MACHINE_TYPES)
        yield path, f"{name} is not a machine type that ray-gke knows", hint
    elif known and group.gpu is None and known.gpus:
        yield (
            path,
            (
                f"{name} carries {known.gpus} {known.accelerator}, and the group has "
                "no gpu: they would be paid for and never used"
            ),
            (
                f"add gpu: {{accelerator: {known.accelerator}}}, or use a machine type "
                "without GPUs such as e2-standard-8"
            ),
        )
    elif group.gpu:
        yield from _carriers(group, group.gpu)


def _carriers(group: Group, gpu: Gpu) -> Iterator[Fault]:
    """Narrow the machines step by step; the step that leaves none is the fault."""
    name, path = group.machine_type, ("machine_type",)
    by_name = (gpu.accelerator,) if gpu.accelerator else gpu.accelerators
    among = by_name or tuple(ACCELERATORS)
    every = [machine for gpu_name in among for machine in machines(gpu_name)]
    left = [m for m in every if name in {None, m.type.name}]
    if not left:
        wanted = " or ".join(by_name or ())
        yield path, _mismatch(name or "", wanted), f"use {_some(every)}"
        return
    divided = gpu.partition or gpu.sharing or gpu.isolation not in {None, "hardware"}
    if name and gpu.accelerator and divided and not left[0].type.divisible:
        what = "MIG" if gpu.partition else "sharing"
        whole = [m for m in every if m.type.divisible]
        message = f"{name} has a part of a GPU only, and {what} does not work on it"
        yield path, message, f"use {_some(whole)}"
        return
    yield from _not_to_be_had(group, left, every)


def count(group: Group) -> Iterator[Fault]:
    """Yield it where one pod asks for more than a node of its machine type has.

    What `machine_type` and the rules for `gpu` alone refuse is not repeated here.
    """
    gpu = group.gpu
    if gpu is None or gpu.accelerator is None or gpu.count == 1:
        return
    every = machines(gpu.accelerator)
    left = [m for m in every if m.type.name == group.machine_type and m.type.divisible]
    if not left:
        return
    accelerator = ACCELERATORS[gpu.accelerator]
    per_gpu = accelerator.partitions[gpu.partition].per_gpu if gpu.partition else 1
    most = max(m.gpus for m in left) * per_gpu
    has = f"{group.machine_type} has {counted(most, gpu.partition)}"
    if gpu.sharing:
        single = [m for m in every if m.gpus * per_gpu == 1]
        if all(m.gpus * per_gpu > 1 for m in left):
            message = (
                f"with MPS a pod gets {gpu.count} only where the node has exactly one "
                f"GPU or partition, and {has}"
            )
            yield ("gpu", "count"), message, f"use count: 1, or {_some(single)}"
    elif gpu.count > most:
        enough = [m for m in every if m.gpus * per_gpu >= gpu.count]
        message = f"{has}, and a pod asks {gpu.count}"
        yield ("machine_type",), message, f"use {_some(enough)}"


def counted(number: int, partition: str | None) -> str:
    """Return such as `1 GPU` or `7 partitions 1g.5gb`."""
    what = "partition" if partition else "GPU"
    plural = "" if number == 1 else "s"
    return f"{number} {what}{plural}{f' {partition}' if partition else ''}"


def _not_to_be_had(
    group: Group, left: list[Machine], every: list[Machine]
) -> Iterator[Fault]:
    asked = kinds(group)
    if any(_sold(machine, asked) for machine in left):
        return
    sold = dict.fromkeys(kind for m in left for kind in m.type.provisioning or ())
    others = [machine for machine in every if _sold(machine, asked)]
    instead = [f"use {_some(others)}"] if others else []
    worker = isinstance(group, WorkerGroup)
    # A reservation is not there for the asking.
    short = [kind for kind in sold if kind != "reservation"]
    where = "use" if worker else "a head is always standard: move gpu to a group with"
    path: Path = ("machine_type",)
    if group.machine_type is None:
        path = ("provisioning",) if worker else ("gpu",)
    gpus = dict.fromkeys(m.type.accelerator or "" for m in left)
    yield (
        path,
        (
            f"{group.machine_type or ' and '.join(gpus)} cannot be had as "
            f"{' or '.join(asked)}, only as {' or '.join(sold)}"
        ),
        ", or ".join([*instead, f"{where} provisioning: {' or '.join(short)}"]),
    )


def _sold(machine: Machine, asked: tuple[Provisioning, ...]) -> bool:
    return any(available(machine, kind) for kind in asked)


def places(group: Group, site: Site) -> Iterator[Fault]:
    """Yield zones that are elsewhere, lack the GPU, or are too many."""
    for index, zone in enumerate(group.zones or ()):
        if _elsewhere(zone, site):
            message = f"{zone} is not in {site.region}, the platform's region"
            hint = f"use zones of {site.region}, such as {site.region}-a"
            yield ("zones", index), message, hint
    yield from _gpu_places(group, site)
    # Without a platform the zones are not decided yet.
    decided = group.zones or site.target == "gke"
    if isinstance(group, WorkerGroup) and group.placement_policy and decided:
        yield from _one_zone(group, site)


def _one_zone(group: WorkerGroup, site: Site) -> Iterator[Fault]:
    zones = group.zones or site.zones
    if len(zones) == 1:
        return
    has = f"has {len(zones)}: {', '.join(zones)}" if zones else "names none"
    add = "use" if group.zones else "add"
    yield (
        ("placement_policy",),
        (
            f"placement_policy {group.placement_policy} needs exactly one zone, and "
            f"the group {has}"
        ),
        f"{add} zones: [{zones[0] if zones else site.region + '-a'}]",
    )


def _gpu_places(group: Group, site: Site) -> Iterator[Fault]:
    """By need the choice looks for a GPU that the zones have."""
    name = group.gpu.accelerator if group.gpu else None
    known = ACCELERATORS[name].zones if name else None
    if known is None:
        return
    for index, zone in enumerate(group.zones or ()):
        if zone not in known and not _elsewhere(zone, site):
            near = offered(name, region_of(zone)) or known
            yield ("zones", index), f"{zone} has no {name}", f"use {', '.join(near)}"
    if group.zones or site.target != "gke":
        return
    here = offered(name, site.region) or ()
    if not here:
        message = f"{site.region} has no {name}"
        hint = f"it is in {', '.join(dict.fromkeys(region_of(z) for z in known))}"
        yield ("gpu", "accelerator"), message, hint
    elif site.zones and not set(site.zones) & set(here):
        message = f"none of the platform's zones {', '.join(site.zones)} has {name}"
        yield ("gpu", "accelerator"), message, f"add zones: [{', '.join(here)}]"


def _elsewhere(zone: str, site: Site) -> bool:
    return site.target == "gke" and region_of(zone) != site.region


def _mismatch(name: str, wanted: str) -> str:
    """`wanted` is empty where any GPU would do."""
    known = MACHINE_TYPES[name]
    has = known.accelerator if known.gpus else f"no {wanted or 'GPU'}"
    return f"{name} has {has}, and the group asks for {wanted or 'one'}"


def _some(these: list[Machine]) -> str:
    names = list(dict.fromkeys(m.type.name for m in these))
    return " or ".join([*names[:4], *(["another of that kind"] if names[4:] else [])])
