"""What a platform's capacity is reckoned from: its runs, and its cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ray_gke.errors import Place
from ray_gke.planning.capacity import Amounts, PodsOnNode
from ray_gke.planning.plan import Group, Plan


@dataclass(frozen=True)
class Run:
    """A plan that runs on the platform.

    `warm_places` says by the group's name where its warm_replicas stand.
    """

    plan: Plan
    namespace: str | None = None
    warm_places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class PlatformFacts:
    """What the platform file says of its cluster and network; ranges are CIDR blocks.

    `places` says by the name of a field here where its value stands.
    """

    name: str | None = None
    project: str | None = None
    regional: bool = True
    nodes_range: str | None = None
    pods_range: str | None = None
    services_range: str | None = None
    max_pods_per_node: int = 110
    boot_disk_gib: int = 100
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """A group of a run, and what one of its pods asks for."""

    run: Run
    group: Group
    pod: Amounts

    def pods(self, count: int, *, balloons: bool = False) -> tuple[PodsOnNode, ...]:
        """Return so many of its pods, or as many balloons; nothing for none."""
        if not count:
            return ()
        group, name = self.group, self.run.plan.name
        return (PodsOnNode(name, group.name, group.role, count, self.pod, balloons),)


def members(run: Run) -> tuple[Member, ...]:
    """Return the run's groups in the plan's order."""
    return tuple(Member(run, group, _pod(group)) for group in run.plan.groups)


def _pod(group: Group) -> Amounts:
    return Amounts(group.pod.cpu_millis, group.pod.memory_bytes, group.num_gpus)
