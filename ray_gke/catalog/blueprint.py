"""The model of a blueprint (design: one blueprint, three targets).

Field names are KubeRay's, Kubernetes' and Ray's own, in snake_case. Models are
frozen and closed: an unknown key is an error.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ray_gke import versions
from ray_gke.catalog.day_two import (
    AuthOptions,
    GcsFaultToleranceOptions,
    HistoryServerOptions,
    Logs,
    Metrics,
    NetworkPolicy,
    TlsOptions,
)
from ray_gke.catalog.environment import EnvName
from ray_gke.catalog.faults import fault
from ray_gke.catalog.gpu import Gpu, Sharing
from ray_gke.catalog.groups import (
    AutoscalerOptions,
    Group,
    Head,
    Toleration,
    WorkerGroup,
    distinct,
)
from ray_gke.catalog.model import ForTerminals, Model
from ray_gke.catalog.parameters import Parameter, ParameterName, ParameterValue
from ray_gke.catalog.quantities import Image, Name, Shape
from ray_gke.catalog.workloads import WORKLOADS, Cluster, Job, Service

__all__ = [
    "API_VERSION",
    "AutoscalerOptions",
    "Blueprint",
    "Cluster",
    "Gpu",
    "Group",
    "Head",
    "Job",
    "Metadata",
    "Model",
    "Parameter",
    "ParameterValue",
    "Patch",
    "Ray",
    "Service",
    "Sharing",
    "Spec",
    "Toleration",
    "WorkerGroup",
]

API_VERSION = "ray-gke/v1"


class Metadata(Model):
    """What a catalog shows of a blueprint."""

    name: Name = Field(description="Name of the blueprint, the same as its folder's")
    summary: Annotated[str, Field(max_length=200), ForTerminals] = Field(
        default="", description="One line for the catalog"
    )
    tags: tuple[Annotated[str, ForTerminals], ...] = Field(
        default=(), strict=False, description="Words to find it by"
    )


def _supported(version: str) -> str:
    if versions.parsed(version) < versions.parsed(versions.OLDEST_RAY):
        message = f"Ray {version} has no token authentication"
        raise fault(message, hint=f"use Ray {versions.OLDEST_RAY} or later")
    return version


class Ray(Model):
    """Which Ray, in which image."""

    version: (
        Annotated[
            str,
            Shape(r"\d{1,4}\.\d{1,4}\.\d{1,4}", "a version such as 2.60.0"),
            AfterValidator(_supported),
        ]
        | None
    ) = Field(default=None, description="Ray's version")
    image: Image | None = Field(
        default=None, description="Image of every Ray container"
    )


class Patch(Model):
    """A JSON merge patch (RFC 7386) on the rendered objects of one kind."""

    kind: str = Field(
        min_length=1, description="Kind of the objects, such as RayCluster"
    )
    name: str | None = Field(
        default=None, description="Name of the object; all of the kind without"
    )
    patch: dict[str, Any] = Field(description="The merge patch, as in Kubernetes")


def _empty(value: object) -> object:
    return {} if value is None else value


class Spec(Model):
    """What should run."""

    ray: Ray = Field(default=Ray(), description="Which Ray")
    env: dict[EnvName, str] = Field(
        default={}, description="Environment of every Ray container"
    )
    head: Head = Field(default=Head(), description="The head")
    worker_groups: Annotated[tuple[WorkerGroup, ...], AfterValidator(distinct)] = Field(
        default=(),
        strict=False,
        max_length=100,
        description="Groups of equal workers",
    )
    autoscaler_options: AutoscalerOptions = Field(
        default=AutoscalerOptions(), description="How worker groups change their size"
    )
    logs: Logs = Field(default=Logs(), description="Where Ray's log files go")
    metrics: Metrics = Field(default=Metrics(), description="Who reads the metrics")
    auth_options: AuthOptions = Field(
        default=AuthOptions(), description="Who may use the cluster"
    )
    network_policy: NetworkPolicy = Field(
        default=NetworkPolicy(), description="Who may reach whom"
    )
    tls_options: TlsOptions | None = Field(
        default=None, description="TLS between Ray's own processes; none without it"
    )
    gcs_fault_tolerance_options: GcsFaultToleranceOptions | None = Field(
        default=None, description="Where the head's state outlives it"
    )
    history_server_options: HistoryServerOptions | None = Field(
        default=None, description="Where the history server finds clusters that ended"
    )
    # `cluster:` alone is a cluster: it has nothing to say.
    cluster: Annotated[Cluster | None, BeforeValidator(_empty)] = Field(
        default=None, description="A cluster that stays up: cluster: {}"
    )
    job: Job | None = Field(default=None, description="One job")
    service: Service | None = Field(default=None, description="A Ray Serve service")
    patches: tuple[Patch, ...] = Field(
        default=(), strict=False, description="Merge patches on the rendered objects"
    )

    @property
    def highly_available(self) -> bool:
        """Whether it is a service that answers on when a node or the head is lost."""
        return self.service is not None and self.service.highly_available

    @model_validator(mode="after")
    def _one_workload(self) -> Spec:
        given = [kind for kind in WORKLOADS if getattr(self, kind) is not None]
        if len(given) > 1:
            message = f"{' and '.join(given)} cannot stand in one blueprint"
            hint = "keep exactly one of cluster, job, service"
            raise fault(message, hint=hint, at=(given[-1],))
        if not given:
            message = "none of cluster, job, service is given"
            raise fault(message, hint="say what should run, such as cluster: {}")
        return self


class Blueprint(Model):
    """What should run, and what a user may choose about it."""

    api_version: Literal["ray-gke/v1"] = Field(alias="apiVersion")
    kind: Literal["Blueprint"]
    metadata: Metadata = Field(description="What a catalog shows")
    parameters: dict[ParameterName, Parameter] = Field(
        default={}, description="What a user may choose"
    )
    spec: Spec = Field(description="What should run")
