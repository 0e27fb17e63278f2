"""The models of Ray Serve's config file: applications and their deployments.

Field names: ray.serve.schema of Ray 2.60 (ServeDeploySchema, ServeApplicationSchema,
DeploymentSchema, RayActorOptionsSchema) and ray.serve.config (AutoscalingConfig).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from ray_gke.catalog.faults import fault
from ray_gke.catalog.model import Model, not_empty
from ray_gke.catalog.quantities import Shape


class ActorOptions(Model):
    """What each replica's actor asks of Ray."""

    runtime_env: dict[str, Any] | None = None
    num_cpus: float | None = Field(default=None, ge=0)
    num_gpus: float | None = Field(default=None, ge=0)
    memory: float | None = Field(default=None, ge=0)
    resources: dict[str, float] | None = None
    accelerator_type: str | None = None
    label_selector: dict[str, str] | None = None
    fallback_strategy: tuple[dict[str, Any], ...] | None = Field(
        default=None, strict=False
    )


class Autoscaling(Model):
    """How the number of replicas follows the requests."""

    min_replicas: int = Field(default=1, ge=0, description="Fewest replicas")
    initial_replicas: int | None = Field(default=None, ge=0)
    max_replicas: int = Field(default=1, ge=1, description="Most replicas")
    target_ongoing_requests: float | None = Field(default=None, gt=0)
    metrics_interval_s: float | None = Field(default=None, gt=0)
    look_back_period_s: float | None = Field(default=None, gt=0)
    smoothing_factor: float | None = Field(default=None, gt=0)
    upscale_smoothing_factor: float | None = Field(default=None, gt=0)
    downscale_smoothing_factor: float | None = Field(default=None, gt=0)
    upscaling_factor: float | None = Field(default=None, gt=0)
    downscaling_factor: float | None = Field(default=None, gt=0)
    downscale_delay_s: float | None = Field(default=None, ge=0)
    downscale_to_zero_delay_s: float | None = Field(default=None, ge=0)
    upscale_delay_s: float | None = Field(default=None, ge=0)
    aggregation_function: str | None = None
    policy: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _limits(self) -> Autoscaling:
        low, most = self.min_replicas, self.max_replicas
        if low > most:
            message = f"min_replicas {low} is more than max_replicas {most}"
            hint = f"set max_replicas to {low} or more"
            raise fault(message, at=("min_replicas",), hint=hint)
        return self


class Deployment(Model):
    """Options of one deployment, over those in its code."""

    name: str = Field(min_length=1, description="Name of the deployment in the code")
    num_replicas: Annotated[int, Field(ge=1)] | Literal["auto"] | None = Field(
        default=None, description="A number of replicas, or auto"
    )
    max_ongoing_requests: int | None = Field(default=None, gt=0)
    max_queued_requests: int | None = Field(default=None, ge=-1)
    backpressure_config: dict[str, Any] | None = None
    user_config: dict[str, Any] | None = None
    autoscaling_config: Autoscaling | None = None
    graceful_shutdown_wait_loop_s: float | None = Field(default=None, ge=0)
    graceful_shutdown_timeout_s: float | None = Field(default=None, ge=0)
    health_check_period_s: float | None = Field(default=None, gt=0)
    health_check_timeout_s: float | None = Field(default=None, gt=0)
    ray_actor_options: ActorOptions | None = None
    placement_group_bundles: tuple[dict[str, float], ...] | None = Field(
        default=None, strict=False
    )
    placement_group_strategy: str | None = None
    placement_group_bundle_label_selector: tuple[dict[str, str], ...] | None = Field(
        default=None, strict=False
    )
    max_replicas_per_node: int | None = Field(default=None, ge=1)
    logging_config: dict[str, Any] | None = None
    request_router_config: dict[str, Any] | None = None
    gang_scheduling_config: dict[str, Any] | None = None
    deployment_actors: tuple[dict[str, Any], ...] | None = Field(
        default=None, strict=False
    )
    rolling_update_percentage: float | None = Field(default=None, ge=0)
    max_surge_percent: int | None = Field(default=None, ge=0, le=100)

    @model_validator(mode="after")
    def _one_size(self) -> Deployment:
        if isinstance(self.num_replicas, int) and self.autoscaling_config:
            message = "a fixed num_replicas does not go with autoscaling_config"
            hint = "remove one of them, or write num_replicas: auto"
            raise fault(message, at=("num_replicas",), hint=hint)
        return self


def _unique_deployments(given: tuple[Deployment, ...]) -> tuple[Deployment, ...]:
    names = [deployment.name for deployment in given]
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"the deployment {name!r} is given twice"
            raise fault(message, at=(index, "name"), hint="remove one of them")
    return given


class Application(Model):
    """One Serve application."""

    name: str = Field(default="default", min_length=1, description="Its own name")
    route_prefix: (
        Annotated[str, Shape(r"/(.*[^/])?", "a path such as /classify", 500)] | None
    ) = Field(default="/", description="Path of its HTTP requests, such as /classify")
    import_path: Annotated[
        str,
        Shape(
            r"\w+(\.\w+)*:\w+|\w+(\.\w+)+",
            "a module and what it binds, such as app:deployment",
            500,
        ),
    ] = Field(description="Module and what it binds, such as app:deployment")
    runtime_env: dict[str, Any] | None = None
    deployments: Annotated[
        tuple[Deployment, ...], AfterValidator(_unique_deployments)
    ] = Field(default=(), strict=False)
    autoscaling_policy: dict[str, Any] | None = None
    args: dict[str, Any] = Field(default={}, description="Arguments of its builder")
    logging_config: dict[str, Any] | None = None
    external_scaler_enabled: bool = False


def _unique_applications(given: tuple[Application, ...]) -> tuple[Application, ...]:
    for key in ("name", "route_prefix"):
        values = [getattr(application, key) for application in given]
        for index, value in enumerate(values):
            if value is not None and value in values[:index]:
                message = f"two applications have the {key} {value!r}"
                raise fault(message, at=(index, key), hint="give each its own")
    return given


def _decided_by_target(key: str) -> AfterValidator:
    hint = f"remove {key}: locally it is loopback, on Kubernetes a Service"

    def refuse(_: object) -> object:
        raise fault("the target decides about hosts and ports", hint=hint)

    return AfterValidator(refuse)


class ServeConfig(Model):
    """A whole Serve config file."""

    applications: Annotated[
        tuple[Application, ...],
        AfterValidator(not_empty),
        AfterValidator(_unique_applications),
    ] = Field(strict=False, description="The applications")
    proxy_location: Literal["Disabled", "HeadOnly", "EveryNode"] | None = None
    http_options: Annotated[Any, _decided_by_target("http_options")] = None
    grpc_options: Annotated[Any, _decided_by_target("grpc_options")] = None
    controller_options: dict[str, Any] | None = None
    logging_config: dict[str, Any] | None = None
    tracing_config: dict[str, Any] | None = None
    target_capacity: float | None = Field(default=None, ge=0, le=100)
