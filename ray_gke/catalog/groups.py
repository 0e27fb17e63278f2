"""The models of head and worker groups."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)

from ray_gke.catalog.faults import fault
from ray_gke.catalog.gpu import Gpu
from ray_gke.catalog.locations import Zones
from ray_gke.catalog.model import Model, not_empty
from ray_gke.catalog.nearest import nearest
from ray_gke.catalog.quantities import (
    Cpu,
    LabelKey,
    LabelValue,
    Memory,
    Name,
    Shape,
)
from ray_gke.gke.nodes import Provisioning

MAX_REPLICAS = 10_000

DiskImage = Annotated[
    str,
    Shape(
        r"[a-zA-Z0-9/:._-]*global/images/[a-z0-9-]+",
        "a disk image such as projects/my-project/global/images/ray",
        500,
    ),
]


def _kinds(value: object) -> object:
    """Check the words here: what was written as one word has no place [0]."""
    kinds = get_args(Provisioning)
    words = value if isinstance(value, list) else [value]
    for index, word in enumerate(words):
        if word is not None and word not in kinds:
            near = nearest(str(word), kinds)
            hint = f"use one of {', '.join(kinds)}"
            at = (index,) if isinstance(value, list) else ()
            message = f"{str(word)[:40]!r} is no kind of virtual machines"
            raise fault(
                message, hint=f"did you mean {near!r}? {hint}" if near else hint, at=at
            )
    return None if value is None else words


Kinds = Annotated[
    tuple[Provisioning, ...],
    BeforeValidator(_kinds),
    AfterValidator(not_empty),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(get_args(Provisioning))},
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"enum": list(get_args(Provisioning))},
                },
            ]
        }
    ),
]


class Toleration(Model):
    """As in a Kubernetes pod."""

    key: LabelKey | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = Field(default=None, ge=0)


ResourceName = Annotated[
    str,
    Shape("[A-Za-z_][A-Za-z0-9_.-]*", "a resource name such as fast_disk", 100),
]


class Group(Model):
    """What head and worker groups have in common."""

    cpu: Cpu | None = Field(
        default=None,
        description="CPU quantity, such as 2 or 500m. Without it 1 (a head 2), or "
        "with gpu an equal share of the node",
    )
    memory: Memory | None = Field(
        default=None,
        description="Memory quantity, such as 8Gi. Without it 4Gi (a head 8Gi), or "
        "with gpu an equal share of the node",
    )
    gpu: Gpu | None = Field(default=None, description="GPUs of each pod")
    machine_type: (
        Annotated[str, Shape("[a-z0-9]+(-[a-z0-9]+)+", "a machine type", 63)] | None
    ) = Field(
        default=None,
        description="On GKE: the nodes' machine type, such as g2-standard-8; the "
        "cheapest that holds the group without it",
    )
    zones: Zones | None = Field(
        default=None,
        strict=False,
        description="On GKE: zones of the nodes; the platform's without it",
    )
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
    provisioning: Kinds | None = Field(
        default=None,
        strict=False,
        description="The kind of virtual machines, standard without it; of several "
        "the plan takes the cheapest",
    )
    reservation: Name | None = Field(
        default=None, description="On GKE: name of the reservation to consume"
    )
    queued_provisioning: bool = Field(
        default=False, description="On GKE: nodes come all at once, when all can be had"
    )
    placement_policy: Literal["COMPACT"] | None = Field(
        default=None, description="On GKE: nodes close together, in one zone"
    )
    secondary_boot_disks: Annotated[tuple[DiskImage, ...], Field(max_length=127)] = (
        Field(
            default=(),
            strict=False,
            description="On GKE: disk images with container images, as Terraform's "
            "disk_image: projects/PROJECT/global/images/NAME",
        )
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
