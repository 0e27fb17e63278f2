"""The plan of one blueprint: everything that will be done, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ray_gke.errors import Place
from ray_gke.gke.image_registry import ImageRegistry
from ray_gke.gke.nodes import Shape
from ray_gke.gke.resources import Resources
from ray_gke.planning.capacity import Role
from ray_gke.planning.choice import Choice
from ray_gke.planning.day_two import DayTwo
from ray_gke.planning.pool_names import Nodes

HEAD = "headgroup"
"""The name that KubeRay gives to the head's group."""

SUBMITTER = "submitter"
"""Our name for the pod that hands a job to Ray."""

WorkloadKind = Literal["cluster", "job", "service"]


@dataclass(frozen=True)
class Group:
    """A head or worker group with nothing left to decide.

    cpu and memory are Kubernetes quantities; num_cpus, num_gpus and memory_bytes are
    what Ray schedules by. For a head min_replicas and max_replicas are 1. The node
    selector, the affinity (expressions that all must hold) and the tolerations are
    Kubernetes' own words. `pod` is what all containers of a pod ask for, `beside` what
    our sidecars do of it, `choice` the
    machine that carries it and `nodes` its node pool's, None where none of GKE's does.
    """

    name: str
    min_replicas: int
    max_replicas: int
    cpu: str
    memory: str
    num_cpus: int
    num_gpus: int
    memory_bytes: int
    resources: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    node_affinity: tuple[Mapping[str, Any], ...] = ()
    tolerations: tuple[Mapping[str, Any], ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    host_ipc: bool = False
    termination_grace_period_seconds: int = 60
    spot: bool = False
    idle_timeout_seconds: int | None = None
    priority: int | None = None
    warm_replicas: int = 0
    spread: bool = False
    role: Role = "worker"
    shape: Shape = field(default_factory=Shape)
    pod: Resources = field(default_factory=Resources)
    beside: Resources = field(default_factory=Resources)
    choice: Choice | None = None
    nodes: Nodes | None = None
    zones: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What `render` makes documents of and a target brings up.

    `name` is that of the Ray object and of everything around it. `files` are the
    workload's own files by their path inside the blueprint folder. `workload` is the
    blueprint's Cluster, Job or Service; `serve_config` the parsed Serve config of a
    service. `notes` are lines that a user should read. `places` says where those
    values stand that rendering may have to refuse, by their path in the blueprint.
    `image_registry` has the images next to the cluster, where there is one.
    """

    name: str
    blueprint: str
    kind: WorkloadKind
    ray_version: str
    image: str
    head: Group
    worker_groups: tuple[Group, ...]
    workload: Any
    env: Mapping[str, str]
    idle_timeout_seconds: int
    upscaling_mode: str
    files: Mapping[str, bytes]
    serve_config: Mapping[str, Any] | None
    patches: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    places: Mapping[tuple[str | int, ...], Place] = field(default_factory=dict)
    submitter: Group | None = None
    day_two: DayTwo = field(default_factory=DayTwo)
    image_registry: ImageRegistry | None = None

    @property
    def groups(self) -> tuple[Group, ...]:
        """Head, worker groups, and the pod that submits a job."""
        submitter = (self.submitter,) if self.submitter else ()
        return (self.head, *self.worker_groups, *submitter)

    @property
    def autoscaling(self) -> bool:
        """Whether any group may change its size."""
        return any(g.min_replicas != g.max_replicas for g in self.worker_groups)
