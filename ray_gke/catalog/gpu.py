"""The model of what GPUs a group's pods get, by name or by need."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, model_validator

from ray_gke.catalog.faults import fault
from ray_gke.catalog.model import Model, not_empty
from ray_gke.catalog.quantities import GpuMemory, Shape
from ray_gke.gke.nodes import SharingStrategy
from ray_gke.gke.sharing import MAX_CLIENTS, MIN_CLIENTS, Isolation

Values = TypeVar("Values", bound=Any)


def some(value: Values) -> Values:
    """Return a value that is no list, or has at least one entry."""
    return not_empty(value) if isinstance(value, tuple) else value


class Sharing(Model):
    """Several pods on one GPU, or on one partition of it."""

    strategy: SharingStrategy
    max_shared_clients_per_gpu: int = Field(
        ge=MIN_CLIENTS,
        le=MAX_CLIENTS,
        description="Pods per GPU or partition (GKE takes 2 to 48)",
    )


# Those with media or graphics there are too; the plan says that GKE has none.
_PARTITION = r"\d+g\.\d+gb([+.](me|gfx))?"

Accelerator = Annotated[
    str,
    Shape("nvidia-[a-z0-9-]+", "GKE's accelerator type, such as nvidia-l4", 63),
]


class Gpu(Model):
    """The GPUs of one pod: by name (accelerator), or by need (memory)."""

    accelerator: Accelerator | None = Field(
        default=None,
        description="GKE's accelerator type, such as nvidia-l4 or nvidia-tesla-a100",
    )
    count: int = Field(
        default=1, ge=1, le=16, description="GPUs, or partitions, of one pod"
    )
    partition: (
        Annotated[str, Shape(_PARTITION, "a MIG partition such as 1g.5gb", 20)] | None
    ) = Field(
        default=None,
        description="MIG partition, GKE's gpu_partition_size, such as 1g.5gb",
    )
    sharing: Sharing | None = None
    memory: GpuMemory | None = Field(
        default=None,
        description="GPU memory needed, such as 10Gi; the cheapest shape is chosen",
    )
    isolation: Isolation | None = Field(
        default=None,
        description="With memory: what keeps pods apart. hardware (default): whole "
        "GPUs and MIG partitions; software: MPS too; none: time-sharing too",
    )
    accelerators: Annotated[tuple[Accelerator, ...] | None, AfterValidator(some)] = (
        Field(
            default=None,
            strict=False,
            description="With memory: choose among these accelerator types only",
        )
    )

    @model_validator(mode="after")
    def _by_name_or_by_need(self) -> Gpu:
        by_name, by_need = ("partition", "sharing"), ("isolation", "accelerators")
        if self.accelerator is None and self.memory is None:
            message = "gpu needs accelerator, or memory"
            raise fault(message, hint="accelerator: nvidia-l4, or memory: 10Gi")
        if self.accelerator is not None and self.memory is not None:
            message = "gpu has accelerator and memory"
            hint = "name the accelerator, or say the memory and let the plan choose"
            raise fault(message, hint=hint, at=("memory",))
        for key in by_name if self.accelerator is None else by_need:
            if getattr(self, key) is not None:
                given = "memory" if self.accelerator is None else "accelerator"
                hint = f"leave {key} out, or {given}"
                raise fault(f"{key} does not go with {given}", hint=hint, at=(key,))
        return self
