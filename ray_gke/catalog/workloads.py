"""The models of the three workloads."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ray_gke.catalog.model import Model

WORKLOADS = ("cluster", "job", "service")


def kinds(spec: object) -> list[str]:
    """Return the workloads that a blueprint's spec, as it was read, asks for."""
    if not isinstance(spec, dict):
        return []
    # An empty `cluster:` is a cluster; an empty job is none.
    return [
        kind
        for kind in WORKLOADS
        if kind in spec and (kind == "cluster" or spec[kind] is not None)
    ]


class Cluster(Model):
    """The workload is whatever connects to the cluster."""


class Job(Model):
    """One job, for which the cluster is made and removed."""

    entrypoint: str = Field(
        min_length=1, max_length=10_000, description="Shell command"
    )
    runtime_env: dict[str, Any] = Field(
        default={}, description="Ray's runtime environment"
    )
    entrypoint_num_cpus: float = Field(default=0, ge=0, le=10_000)
    entrypoint_num_gpus: float = Field(default=0, ge=0, le=10_000)
    metadata: dict[str, str] = Field(default={}, description="Ray's job metadata")
    backoff_limit: int = Field(
        default=0, ge=0, le=1000, description="Retries, each on a new cluster"
    )
    active_deadline_seconds: int | None = Field(
        default=None, ge=1, le=10**9, description="The job is ended after this time"
    )
    ttl_seconds_after_finished: int = Field(
        default=300,
        ge=0,
        le=10**9,
        description="How long the finished job's cluster stays (Kubernetes)",
    )


class Service(Model):
    """Ray Serve applications behind HTTP."""

    serve_config: str = Field(
        min_length=1,
        max_length=500,
        description="Serve config file in the blueprint's folder",
    )
    highly_available: bool = Field(
        default=False,
        description="Answers go on while a node or the head is lost: at least two "
        "workers, spread over nodes and zones, none on the head's proxy, and "
        "gcs_fault_tolerance_options",
    )
