"""Why a RayService does not serve, from what Ray Serve says of its applications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.explanation import Cause
from ray_gke.targets.kubernetes.causes.finding import Finding
from ray_gke.targets.kubernetes.view import View, condition, seconds

_PARTS = ("pendingServiceStatus", "activeServiceStatus")


def causes(view: View) -> Iterator[Cause]:
    """Yield why the service is not ready."""
    if view.ray is None or view.ray["kind"] != "RayService":
        return
    name = f"RayService/{view.ray['metadata']['name']}"
    ready = condition(view.ray, "Ready")
    if ready.get("reason") == "InitializingTimeout":
        run = view.inventory.name
        yield Finding(
            f"was given up: {ready.get('message', '')}",
            (_said(name, ready),),
            f"ray-gke down {run}, then ray-gke up {run}: KubeRay does not try again",
            lasting=True,
            since=seconds(ready.get("lastTransitionTime")),
        ).of(name)
    for part in _PARTS:
        yield from _applications(view, view.ray, part)
    if ready.get("reason") == "ZeroServeEndpoints":
        yield Finding(
            "has no pod that takes requests yet",
            (_said(name, ready),),
            f"ray-gke logs {view.inventory.name} shows what they do",
            since=seconds(ready.get("lastTransitionTime")),
        ).of(name)


def _applications(view: View, ray: Manifest, part: str) -> Iterator[Cause]:
    status = (ray.get("status") or {}).get(part) or {}
    found: Mapping[str, Any] = status.get("applicationStatuses") or {}
    for name, application in found.items():
        if finding := _application(view, application):
            cluster = status.get("rayClusterName", "")
            yield finding.of(f"Serve application {name} on RayCluster/{cluster}")


def _application(view: View, application: Manifest) -> Finding | None:
    status = application.get("status", "")
    logs = f"ray-gke logs {view.inventory.name} shows what it wrote"
    message = application.get("message", "")
    evidence = tuple(_evidence(application))
    match status:
        case "DEPLOY_FAILED":
            text = f"cannot be deployed: {_what_happened(message)}"
            return Finding(text, evidence, logs, lasting=True)
        case "UNHEALTHY":
            # Serve starts replicas again by itself.
            text = f"is not healthy: {_what_happened(message)}"
            return Finding(text, evidence, logs)
        case "NOT_STARTED" | "DEPLOYING":
            waits = _what_happened(message)
            text = (
                f"is being deployed{': ' if message else ''}{waits if message else ''}"
            )
            return Finding(text, evidence, logs)
        case _:
            return None


def _evidence(application: Manifest) -> Iterator[str]:
    yield f"application: {application.get('status')}: {_end(application)}"
    deployments: Mapping[str, Any] = application.get("serveDeploymentStatuses") or {}
    for name, deployment in deployments.items():
        if deployment.get("status") != "HEALTHY":
            yield f"deployment {name}: {deployment.get('status')}: {_end(deployment)}"


def _end(one: Manifest) -> str:
    """Return the end of a message: that of a traceback says what happened."""
    lines = [line.strip() for line in one.get("message", "").splitlines()]
    return " | ".join([line for line in lines if line][-6:])


def _what_happened(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[-1] if lines else "Ray Serve does not say why"


def _said(name: str, ready: Manifest) -> str:
    return (
        f"condition Ready of {name}: {ready.get('reason', '')}: "
        f"{ready.get('message', '')}"
    )
