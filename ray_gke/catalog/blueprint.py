"""The model of a blueprint (design: one blueprint, three targets).

Field names are KubeRay's, Kubernetes' and Ray's own, in snake_case. Models are
frozen and closed: an unknown key is an error.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ray_gke.catalog.quantities import (
    Cpu,
    EnvName,
    Image,
    LabelKey,
    LabelValue,
    Memory,
    Name,
)

API_VERSION = "ray-gke/v1"


class Model(BaseModel):
    """Frozen, closed and strict: no key and no type but the declared ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Metadata(Model):
    """What a catalog shows of a blueprint."""

    name: Name = Field(description="Name of the blueprint, the same as its folder's")
    summary: str = Field("", max_length=200, description="One line for the catalog")
    tags: tuple[str, ...] = Field((), strict=False, description="Words to find it by")


ParameterValue = str | int | float | bool


class Parameter(Model):
    """A typed input of a blueprint: `--set NAME=VALUE`."""

    type: Literal["string", "integer", "number", "boolean"]
    default: ParameterValue | None = Field(
        None, description="Value without --set; a parameter without a default must be set"
    )
    description: str = Field(min_length=1)
    minimum: int | float | None = Field(None, description="Smallest number")
    maximum: int | float | None = Field(None, description="Largest number")
    enum: tuple[ParameterValue, ...] | None = Field(
        None, strict=False, min_length=1, description="The only values"
    )
    pattern: str | None = Field(
        None, max_length=500, description="Regular expression that the whole string matches"
    )


class Ray(Model):
    """Which Ray, in which image."""

    version: str | None = Field(None, pattern=r"^\d+\.\d+\.\d+$", description="Ray's version")
    image: Image | None = Field(None, description="Image of every Ray container")


class Toleration(Model):
    """As in a Kubernetes pod."""

    key: LabelKey | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = Field(None, ge=0)


class Sharing(Model):
    """Several pods on one GPU, or on one partition of it."""

    strategy: Literal["time-sharing", "mps"]
    max_shared_clients_per_gpu: int = Field(
        ge=2, le=48, description="Pods per GPU or partition (GKE takes 2 to 48)"
    )


class Gpu(Model):
    """The GPU shape of a group: what one of its pods gets."""

    accelerator: str = Field(
        pattern=r"^nvidia-[a-z0-9-]+$",
        description="GKE's accelerator type, such as nvidia-l4 or nvidia-tesla-a100",
    )
    count: int = Field(1, ge=1, le=16, description="GPUs, or partitions, of one pod")
    partition: str | None = Field(
        None,
        pattern=r"^\d+g\.\d+gb$",
        description="MIG partition, GKE's gpu_partition_size, such as 1g.5gb",
    )
    sharing: Sharing | None = None


class Group(Model):
    """What head and worker groups have in common."""

    cpu: Cpu = "1"
    memory: Memory = "4Gi"
    gpu: Gpu | None = None
    labels: dict[LabelKey, LabelValue] = Field(
        {}, description="Ray labels, for label_selector; also labels of the pods"
    )
    resources: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")], int] = Field(
        {}, description="Custom resources of Ray, each a whole number"
    )
    node_selector: dict[LabelKey, LabelValue] = {}
    tolerations: tuple[Toleration, ...] = Field((), strict=False)


class Head(Group):
    """The pod with GCS, dashboard, driver and autoscaler."""

    cpu: Cpu = "2"
    memory: Memory = "8Gi"
    num_cpus: int | None = Field(
        None,
        ge=0,
        description="CPUs that tasks and actors may use on the head; "
        "0 when there are worker groups, all of them otherwise",
    )


class WorkerGroup(Group):
    """Equal workers, as in KubeRay."""

    name: Name
    min_replicas: int = Field(1, ge=0, le=10_000)
    max_replicas: int | None = Field(
        None, ge=1, le=10_000, description="The same as min_replicas when it is not given"
    )
    provisioning: Literal["standard", "spot"] = Field(
        "standard", description="The kind of virtual machines"
    )
    idle_timeout_seconds: int | None = Field(
        None, ge=1, description="Idle workers of this group are removed after this time"
    )
    priority: int | None = Field(
        None, description="Groups with a higher priority grow first (KubeRay 1.7, Ray 2.56)"
    )
    warm_replicas: int = Field(
        0, ge=0, le=10_000, description="Worker slots kept ready by balloon pods"
    )

    @model_validator(mode="after")
    def _limits(self) -> WorkerGroup:
        most = self.most_replicas
        if self.min_replicas > most:
            msg = f"min_replicas {self.min_replicas} is more than max_replicas {most}"
            raise ValueError(msg)
        if most == 0:
            msg = "a group with min_replicas 0 needs max_replicas"
            raise ValueError(msg)
        if self.warm_replicas > most:
            msg = f"warm_replicas {self.warm_replicas} is more than max_replicas {most}"
            raise ValueError(msg)
        return self

    @property
    def most_replicas(self) -> int:
        """max_replicas, or min_replicas where it is not given."""
        return self.min_replicas if self.max_replicas is None else self.max_replicas


class AutoscalerOptions(Model):
    """How Ray's autoscaler behaves, as in KubeRay."""

    idle_timeout_seconds: int = Field(60, ge=1)
    upscaling_mode: Literal["Default", "Aggressive", "Conservative"] = "Default"


class Cluster(Model):
    """The workload is whatever connects to the cluster."""


class Job(Model):
    """One job, for which the cluster is made and removed."""

    entrypoint: str = Field(min_length=1, max_length=10_000, description="Shell command")
    runtime_env: dict[str, Any] = Field({}, description="Ray's runtime environment")
    entrypoint_num_cpus: float = Field(0, ge=0, strict=False)
    entrypoint_num_gpus: float = Field(0, ge=0, strict=False)
    metadata: dict[str, str] = {}
    backoff_limit: int = Field(0, ge=0, description="Retries, each on a new cluster")
    active_deadline_seconds: int | None = Field(None, ge=1)
    ttl_seconds_after_finished: int = Field(
        300, ge=0, description="How long the finished job's cluster stays (Kubernetes)"
    )


class Service(Model):
    """Ray Serve applications behind HTTP."""

    serve_config: str = Field(
        min_length=1, description="Serve config file in the blueprint's folder"
    )


class Patch(Model):
    """A JSON merge patch (RFC 7386) on the rendered objects that `target` names."""

    kind: str = Field(min_length=1, description="Kind of the objects, such as RayCluster")
    name: str | None = Field(None, description="Name of the object; all of the kind without")
    patch: dict[str, Any]


class Spec(Model):
    """What should run."""

    ray: Ray = Ray()
    env: dict[EnvName, str] = Field({}, description="Environment of every Ray container")
    head: Head = Head()
    worker_groups: tuple[WorkerGroup, ...] = Field((), strict=False)
    autoscaler_options: AutoscalerOptions = AutoscalerOptions()
    cluster: Cluster | None = None
    job: Job | None = None
    service: Service | None = None
    patches: tuple[Patch, ...] = Field((), strict=False)

    @model_validator(mode="after")
    def _one_workload(self) -> Spec:
        given = [w for w in ("cluster", "job", "service") if getattr(self, w) is not None]
        if len(given) != 1:
            msg = "exactly one of cluster, job, service is needed"
            raise ValueError(f"{msg}, not {' and '.join(given)}" if given else msg)
        return self


class Blueprint(Model):
    """What should run, and what a user may choose about it."""

    api_version: Literal["ray-gke/v1"] = Field(alias="apiVersion")
    kind: Literal["Blueprint"]
    metadata: Metadata
    parameters: dict[Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")], Parameter] = {}
    spec: Spec
