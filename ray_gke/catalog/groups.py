"""The models of head and worker groups."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ray_gke.catalog.faults import fault
from ray_gke.catalog.model import Model
from ray_gke.catalog.quantities import Cpu, LabelKey, LabelValue, Memory, Name, Shape

MAX_REPLICAS = 10_000


class Toleration(Model):
    """As in a Kubernetes pod."""

    key: LabelKey | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = Field(default=None, ge=0)


class Sharing(Model):
    """Several pods on one GPU, or on one partition of it."""

    strategy: Literal["time-sharing", "mps"]
    max_shared_clients_per_gpu: int = Field(
        ge=2, le=48, description="Pods per GPU or partition (GKE takes 2 to 48)"
    )


class Gpu(Model):
    """The GPU shape of a group: what one of its pods gets."""

    accelerator: Annotated[
        str,
        Shape("nvidia-[a-z0-9-]+", "GKE's accelerator type, such as nvidia-l4", 63),
    ] = Field(
        description="GKE's accelerator type, such as nvidia-l4 or nvidia-tesla-a100"
    )
    count: int = Field(
        default=1, ge=1, le=16, description="GPUs, or partitions, of one pod"
    )
    partition: (
        Annotated[str, Shape(r"\d+g\.\d+gb", "a MIG partition such as 1g.5gb", 20)]
        | None
    ) = Field(
        default=None,
        description="MIG partition, GKE's gpu_partition_size, such as 1g.5gb",
    )
    sharing: Sharing | None = None


ResourceName = Annotated[
    str,
    Shape("[A-Za-z_][A-Za-z0-9_.-]*", "a resource name such as fast_disk", 100),
]


class Group(Model):
    """What head and worker groups have in common."""

    cpu: Cpu = Field(default="1", description="CPU quantity, such as 2 or 500m")
    memory: Memory = Field(default="4Gi", description="Memory quantity, such as 8Gi")
    gpu: Gpu | None = Field(default=None, description="GPUs of each pod")
    labels: dict[LabelKey, LabelValue] = Field(
        default={},
        description="Ray labels, for label_selector; also labels of the pods",
    )
    resources: dict[ResourceName, Annotated[int, Field(ge=0, le=2**40)]] = Field(
        default={}, description="Custom resources of Ray, each a whole number"
    )
    node_selector: dict[LabelKey, LabelValue] = Field(
        default={}, description="Labels of the nodes that may run the pods"
    )
    tolerations: tuple[Toleration, ...] = Field(
        default=(), strict=False, description="Taints that the pods tolerate"
    )


class Head(Group):
    """The pod with GCS, dashboard, driver and autoscaler."""

    cpu: Cpu = Field(default="2", description="CPU quantity, such as 2 or 500m")
    memory: Memory = Field(default="8Gi", description="Memory quantity, such as 8Gi")
    num_cpus: int | None = Field(
        default=None,
        ge=0,
        le=MAX_REPLICAS,
        description="CPUs that tasks and actors may use on the head; "
        "0 when there are worker groups, all of them otherwise",
    )


# KubeRay's and the autoscaler's names for the group of the head.
_HEAD_NAMES = ("headgroup", "head")


def _not_head(name: str) -> str:
    if name in _HEAD_NAMES:
        message = f"{name!r} is the name of the head's own group"
        raise fault(message, hint="choose another name, such as workers")
    return name


class WorkerGroup(Group):
    """Equal workers, as in KubeRay."""

    name: Annotated[Name, AfterValidator(_not_head)] = Field(
        description="Name of the group, such as workers"
    )
    min_replicas: int = Field(
        default=1, ge=0, le=MAX_REPLICAS, description="Workers that always run"
    )
    max_replicas: int | None = Field(
        default=None,
        ge=1,
        le=MAX_REPLICAS,
        description="The same as min_replicas when it is not given",
    )
    provisioning: Literal["standard", "spot"] = Field(
        default="standard", description="The kind of virtual machines"
    )
    idle_timeout_seconds: int | None = Field(
        default=None,
        ge=1,
        le=10**9,
        description="Idle workers of this group are removed after this time",
    )
    priority: int | None = Field(
        default=None,
        ge=-(2**31),
        lt=2**31,
        description="Groups with a higher priority grow first (KubeRay 1.7, Ray 2.56)",
    )
    warm_replicas: int = Field(
        default=0,
        ge=0,
        le=MAX_REPLICAS,
        description="Worker slots kept ready by balloon pods",
    )

    @model_validator(mode="after")
    def _limits(self) -> WorkerGroup:
        low, most = self.min_replicas, self.most_replicas
        if low > most:
            message = f"min_replicas {low} is more than max_replicas {most}"
            hint = f"set max_replicas to {low} or more"
            raise fault(message, at=("min_replicas",), hint=hint)
        if most == 0:
            message = "a group with min_replicas 0 needs max_replicas"
            hint = "say how far it may grow: max_replicas: 4"
            raise fault(message, at=("min_replicas",), hint=hint)
        if self.warm_replicas > most:
            message = f"warm_replicas {self.warm_replicas} is more than {most} workers"
            hint = "keep at most max_replicas warm"
            raise fault(message, at=("warm_replicas",), hint=hint)
        return self

    @property
    def most_replicas(self) -> int:
        """max_replicas, or min_replicas where it is not given."""
        return self.min_replicas if self.max_replicas is None else self.max_replicas


def distinct(groups: tuple[WorkerGroup, ...]) -> tuple[WorkerGroup, ...]:
    """Return the groups if each has its own name."""
    names = [group.name for group in groups]
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"two worker groups are called {name!r}"
            raise fault(message, hint="give each its own name", at=(index, "name"))
    return groups


class AutoscalerOptions(Model):
    """How Ray's autoscaler behaves, as in KubeRay."""

    idle_timeout_seconds: int = Field(
        default=60, ge=1, le=10**9, description="Idle workers are removed after this"
    )
    upscaling_mode: Literal["Default", "Aggressive", "Conservative"] = "Default"
