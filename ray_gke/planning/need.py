"""What the pods of one group need of the nodes that carry them."""

from __future__ import annotations

from dataclasses import dataclass

from ray_gke.catalog.gpu import Gpu
from ray_gke.catalog.groups import Group, WorkerGroup
from ray_gke.gke.allocatable import PODS_PER_NODE
from ray_gke.gke.nodes import Provisioning
from ray_gke.gke.resources import Resources


@dataclass(frozen=True)
class Need:
    """One group's pods, and what it says about their nodes.

    `pod` is what all containers of a pod ask for, or the least that they may get.
    `provisioning` are the kinds of which the plan takes the cheapest. `zones` is empty
    where the site decides. `min_replicas` count warm ones too.
    """

    pod: Resources
    gpu: Gpu | None = None
    provisioning: tuple[Provisioning, ...] = ("standard",)
    reservation: str | None = None
    queued_provisioning: bool = False
    machine_type: str | None = None
    zones: tuple[str, ...] = ()
    placement_policy: str | None = None
    min_replicas: int = 1
    max_replicas: int = 1
    pods_per_node: int = PODS_PER_NODE
    beside: Resources = Resources()  # noqa: RUF009 it is frozen


def need(
    group: Group,
    pod: Resources,
    pods_per_node: int = PODS_PER_NODE,
    beside: Resources = Resources(),  # noqa: B008 it is frozen
) -> Need:
    """Return what `group` needs for its pods; a head is one pod, on demand.

    `beside` is what of `pod` is not the group's own to say.
    """
    if not isinstance(group, WorkerGroup):
        return Need(
            pod,
            group.gpu,
            machine_type=group.machine_type,
            zones=group.zones or (),
            pods_per_node=pods_per_node,
            beside=beside,
        )
    return Need(
        pod=pod,
        gpu=group.gpu,
        provisioning=kinds(group),
        reservation=group.reservation,
        queued_provisioning=group.queued_provisioning,
        machine_type=group.machine_type,
        zones=group.zones or (),
        placement_policy=group.placement_policy,
        min_replicas=group.min_replicas + group.warm_replicas,
        max_replicas=group.most_replicas,
        pods_per_node=pods_per_node,
        beside=beside,
    )


def kinds(group: Group) -> tuple[Provisioning, ...]:
    """Return the kinds of virtual machines that the group may get."""
    if not isinstance(group, WorkerGroup):
        return ("standard",)
    if group.provisioning is None:
        return ("reservation",) if group.reservation else ("standard",)
    return group.provisioning
