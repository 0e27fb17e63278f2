"""What the keys of a platform file for GKE ask of each other, and of the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ray_gke.catalog.faults import fault
from ray_gke.catalog.locations import misspelt
from ray_gke.catalog.nearest import suggestion
from ray_gke.catalog.teams import is_of_kubernetes
from ray_gke.gke.zones import region_of

if TYPE_CHECKING:
    from ray_gke.catalog.platform import PlatformSpec

_OF_THE_CLUSTER = ("deletion_protection", "ray_operator")


def check_location(spec: PlatformSpec) -> None:
    """Raise a fault where project, region and zones do not say where GKE is."""
    if spec.target == "gke" and spec.project is None:
        hint = "add the project's id, such as project: my-project-1"
        raise fault("target gke needs project", hint=hint, at=("project",))
    if spec.region is None and (spec.target == "gke" or spec.zones):
        asks = "target gke needs" if spec.target == "gke" else "zones need"
        hint = "add it, such as region: europe-west4"
        raise fault(f"{asks} region", hint=hint, at=("region",))
    wrong = misspelt(spec.region) if spec.region else None
    if wrong:
        message = f"{spec.region!r} is not a region of Google Cloud"
        raise fault(message, hint=wrong, at=("region",))
    for index, zone in enumerate(spec.zones):
        if region_of(zone) != spec.region:
            message = f"{zone} is not in the region {spec.region}"
            hint = f"use zones such as {spec.region}-a"
            raise fault(message, hint=hint, at=("zones", index))
    if spec.cluster.location == "zonal" and len(spec.zones) != 1:
        message = f"a zonal cluster needs one zone, not {len(spec.zones)}"
        hint = "give one in zones, or use regional"
        raise fault(message, hint=hint, at=("cluster", "location"))


def check_target(spec: PlatformSpec) -> None:
    """Raise a fault for a key that nothing reads where Terraform makes no cluster.

    The others of GKE are read by `ray-gke plan`, whatever the target.
    """
    for path in () if spec.target == "gke" else _for_terraform(spec):
        message = f"{'.'.join(path)} has no use with target {spec.target}"
        raise fault(message, hint="use target gke, or leave it out", at=path)


def _for_terraform(spec: PlatformSpec) -> Iterator[tuple[str, ...]]:
    if spec.state:
        yield ("state",)
    if spec.labels:
        yield ("labels",)
    if "image_registry" in spec.model_fields_set:
        yield ("image_registry",)
    for key in _OF_THE_CLUSTER:
        if key in spec.cluster.model_fields_set:
            yield ("cluster", key)
    if spec.network.existing:
        yield ("network", "existing")
    for name, team in spec.teams.items():
        if team.quota:
            yield ("teams", name, "quota")


def check_operator(spec: PlatformSpec) -> None:
    """Raise a fault where KubeRay is GKE's own and ours, or its logs are nobody's."""
    if spec.cluster.ray_operator:
        for key in ("version", "namespace"):
            if getattr(spec.kuberay, key):
                message = f"kuberay.{key} is GKE's with cluster.ray_operator"
                raise fault(message, hint="leave one out", at=("kuberay", key))
    elif spec.target == "gke" and spec.logs.mode == "gke":
        message = "logs.mode gke needs the collector of GKE's Ray operator add-on"
        hint = "set cluster.ray_operator: true, or use mode sidecar"
        raise fault(message, hint=hint, at=("logs", "mode"))


def check_teams(spec: PlatformSpec) -> None:
    """Raise a fault for a team that is not there, and for a quota without a place."""
    for index, run in enumerate(spec.blueprints):
        if run.team is not None and run.team not in spec.teams:
            message = f"there is no team {run.team[:60]!r}"
            hint = suggestion(run.team, spec.teams) if spec.teams else "add teams"
            raise fault(message, hint=hint, at=("blueprints", index, "team"))
    limited: dict[str, str] = {}
    for name, team in spec.teams.items():
        if not team.quota:
            continue
        namespace, at = team.namespace or name, ("teams", name, "quota")
        if is_of_kubernetes(namespace):
            message = f"the namespace {namespace} is Kubernetes' own: it gets no quota"
            raise fault(message, hint="give the team its own namespace", at=at)
        if namespace in limited:
            message = (
                f"the namespace {namespace} has the quota of team {limited[namespace]}"
            )
            hint = "write one quota for both, or give each team its own namespace"
            raise fault(message, hint=hint, at=at)
        limited[namespace] = name
