"""How a RayJob failed, in words instead of KubeRay's reasons."""

from __future__ import annotations

from collections.abc import Iterator

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.explanation import Cause
from ray_gke.targets.kubernetes.causes.finding import Finding
from ray_gke.targets.kubernetes.job_states import deployment_status, has_failed
from ray_gke.targets.kubernetes.view import View, condition, seconds


def was_not_submitted(ray: Manifest | None) -> bool:
    """Tell whether a job never came to Ray, so that its submitter knows why."""
    status = (ray or {}).get("status") or {}
    return status.get("reason") == "SubmissionFailed"


def causes(view: View) -> Iterator[Cause]:
    """Yield how the job failed, or why it is tried again."""
    if view.ray is None or view.ray["kind"] != "RayJob":
        return
    status = view.ray.get("status") or {}
    deployment = deployment_status(view.ray)
    name = f"RayJob/{view.ray['metadata']['name']}"
    if has_failed(view.ray):
        text, fix = _failure(view, status)
        yield Finding(
            text,
            (_said(name, status), *_submitter(view)),
            fix,
            lasting=True,
            since=seconds(status.get("endTime")),
        ).of(name)
    elif deployment == "Retrying":
        tried, limit = status.get("failed", 0), view.ray["spec"].get("backoffLimit", 0)
        text = f"failed and is tried again ({tried} of {limit} retries used)"
        yield Finding(text, (_said(name, status),)).of(name)
    elif deployment == "Suspended":
        yield Finding("is suspended").of(name)


def _failure(view: View, status: Manifest) -> tuple[str, str]:
    """Return what happened and what to do, by KubeRay's reason."""
    run = view.inventory.name
    logs = f"ray-gke logs {run} shows what it wrote"
    message = _last_line(status.get("message", ""))
    match status.get("reason"):
        case "AppFailed":
            return f"failed: {message or 'its program ended with an error'}", logs
        case "DeadlineExceeded":
            limit = (view.ray or {})["spec"].get("activeDeadlineSeconds")
            fix = "raise job.active_deadline_seconds of the blueprint, then run "
            return f"took longer than its {limit} s", f"{fix}ray-gke up {run} --rerun"
        case "SubmissionFailed":
            return f"could not be submitted to Ray: {message}", logs
        case "ValidationFailed":
            fix = f"correct the blueprint, then run ray-gke up {run} --rerun"
            return f"is refused by the KubeRay operator: {message}", fix
        case "JobDeploymentStatusTransitionGracePeriodExceeded":
            text = "was given up: Ray and the submitter do not agree on how it ended"
            return text, logs
        case reason:
            return f"failed: {reason or message or 'KubeRay does not say why'}", logs


def _said(name: str, status: Manifest) -> str:
    words = ("jobDeploymentStatus", "jobStatus", "reason", "message")
    parts = [f"{word}: {status[word]}" for word in words if status.get(word)]
    return f"status of {name}: {', '.join(parts)}"


def _submitter(view: View) -> Iterator[str]:
    failed = condition(view.submitter, "Failed")
    if failed.get("status") == "True":
        yield (
            f"condition Failed of Job/{(view.submitter or {})['metadata']['name']}: "
            f"{failed.get('reason', '')}: {failed.get('message', '')}"
        )


def _last_line(text: str) -> str:
    """Return the line of a traceback that says what happened."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ""
