"""What a Ray object and its RayClusters themselves say about their trouble."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.explanation import Cause
from ray_gke.targets.kubernetes import kuberay_operator
from ray_gke.targets.kubernetes.causes.finding import Finding, duration
from ray_gke.targets.kubernetes.job_states import (
    VALIDATION_FAILED,
    deployment_status,
)
from ray_gke.targets.kubernetes.kuberay_install import install
from ray_gke.targets.kubernetes.view import (
    Event,
    View,
    condition,
    is_going,
    seconds,
)

UNSEEN_SECONDS, HOPELESS_SECONDS = 20.0, 60.0
"""After these an object without a status has no operator, and will get none."""

HOPELESS_REPLACEMENTS = 3

_INVALID = re.compile(r"InvalidRay(Cluster|Job|Service)(Spec|Metadata|Status)")
_ENDED = re.compile(r"ExitCode:(-?\d+)")
_EMPTY_SECONDS = 20.0
_RECENT_SECONDS = 300.0
_TOLD_ELSEWHERE = re.compile(
    r"FailedToCreate|AutoscalerServiceAccount|FailedCreate|InvalidRay"
)


def causes(view: View, now: float) -> Iterator[Cause]:
    """Yield what the Ray object and its clusters say, the weightiest first."""
    if view.ray is None:
        yield _gone(view)
        return
    yield from going(view, now)
    yield from _invalid(view)
    yield from _unseen(view, now)
    yield from _suspended(view)
    yield from _replaced(view)


def going(view: View, now: float) -> Iterator[Cause]:
    """Yield that the Ray object is being deleted, and what lets it go."""
    if view.ray is None or not is_going(view.ray):
        return
    metadata = view.ray["metadata"]
    begun = seconds(metadata["deletionTimestamp"]) or now
    finalizers = metadata.get("finalizers") or ()
    evidence = f"finalizers of {_name(view.ray)}: {', '.join(finalizers)}"
    held = now - begun > HOPELESS_SECONDS and kuberay_operator.finalizers(view.ray)
    yield Finding(
        "is being deleted",
        (evidence,) if finalizers else (),
        f"check that the KubeRay operator runs, which takes off ray.io/…: {install()}"
        if held
        else "wait until it is gone",
        since=begun,
    ).of(_name(view.ray))


def warnings(view: View, now: float) -> Iterator[Cause]:
    """Yield what else the operator has complained about lately."""
    objects = [view.ray, *view.clusters, view.submitter]
    names = dict.fromkeys(_name(one) for one in objects if one)
    newest: dict[str, Event] = {}
    for event in view.events:
        told = _TOLD_ELSEWHERE.match(event.reason)
        about = f"{event.kind}/{event.name}"
        if event.warning and not told and about in names:
            newest[about] = event
    for about, event in newest.items():
        if now - event.last < _RECENT_SECONDS:
            finding = Finding(
                f"has a warning: {event.reason}: {event.message}",
                (str(event),),
                f"ray-gke explain {view.inventory.name} shows more",
                since=event.first,
            )
            yield finding.of(about)


def _gone(view: View) -> Cause:
    name = view.inventory.name
    return Cause(
        f"{view.inventory.ray or name} is not in namespace {view.inventory.namespace}",
        fix=f"ray-gke up {name} makes it again, ray-gke down {name} removes the rest",
        lasting=True,
    )


def _invalid(view: View) -> Iterator[Cause]:
    """Yield what the operator refuses to work on."""
    for one in _objects(view):
        said = [e for e in view.events_of(one) if _INVALID.fullmatch(e.reason)]
        if not said or _is_accepted(one) or said[-1].last < _written(one):
            continue
        newest = said[-1]
        reason = newest.message.partition(": ")[2] or newest.message
        yield Finding(
            f"is refused by the KubeRay operator: {reason}",
            (str(newest),),
            "correct the blueprint, most likely its patches, then run ray-gke up "
            f"{view.inventory.name} again",
            lasting=True,
            since=newest.first,
        ).of(_name(one))


def _objects(view: View) -> list[Manifest]:
    """Return the Ray object and its clusters; a RayCluster is its own."""
    assert view.ray
    return [view.ray, *(one for one in view.clusters if one is not view.ray)]


def _is_accepted(one: Manifest) -> bool:
    """Tell whether the operator has worked on the object as it is now.

    It writes the status of a RayJob even where it refuses it.
    """
    if one["kind"] == "RayJob":
        return deployment_status(one) != VALIDATION_FAILED
    status = one.get("status") or {}
    return bool(status.get("observedGeneration") == one["metadata"].get("generation"))


def _written(one: Manifest) -> float:
    """Return when the spec was last written; a second less, as events have no more."""
    times = [
        seconds(entry.get("time")) or 0.0
        for entry in one["metadata"].get("managedFields") or ()
        if entry.get("subresource") != "status"
    ]
    return max(times, default=0.0) - 1.0


def _unseen(view: View, now: float) -> Iterator[Cause]:
    """Yield that nobody works on the Ray object, when it has no status at all."""
    assert view.ray
    waited = now - (seconds(view.ray["metadata"].get("creationTimestamp")) or now)
    manager = view.ray["spec"].get("managedBy", "ray.io/kuberay-operator")
    invalid = any(_INVALID.fullmatch(e.reason) for e in view.events_of(view.ray))
    if _has_status(view.ray) or invalid or waited < UNSEEN_SECONDS:
        return
    if manager != "ray.io/kuberay-operator":
        text = f"is left to {manager}, which has not begun with it"
        yield Finding(text, fix=f"check that {manager} runs").of(_name(view.ray))
        return
    yield Finding(
        "is not looked at by any KubeRay operator",
        (f"{_name(view.ray)} has had no status for {duration(waited)}",),
        f"{install()}; on GKE, its add-on: gcloud container clusters update CLUSTER "
        "--update-addons=RayOperator=ENABLED",
        lasting=waited >= HOPELESS_SECONDS,
        since=now - waited,
    ).of(_name(view.ray))


def _has_status(ray: Manifest) -> bool:
    status = ray.get("status") or {}
    keys = ("jobDeploymentStatus", "conditions", "state", "observedGeneration")
    return any(status.get(key) for key in keys)


def _suspended(view: View) -> Iterator[Cause]:
    assert view.ray
    if view.ray["spec"].get("suspend"):
        yield Finding(
            "is suspended, and has no pods until that ends",
            (f"spec.suspend of {_name(view.ray)} is true",),
            "a queue such as Kueue ends it when there is room: kubectl get workloads "
            f"-n {view.inventory.namespace}",
        ).of(_name(view.ray))


def _replaced(view: View) -> Iterator[Cause]:
    """Yield that pods end again and again, which the operator then removes.

    Where pods are not restarted this is all that is left to see of them.
    """
    assert view.ray
    for cluster in view.clusters:
        if condition(cluster, "HeadPodReady").get("status") == "True":
            continue
        deleted = [
            event
            for event in view.events_of(cluster)
            if event.reason == "DeletedHeadPod" and "terminated status" in event.message
        ]
        count = sum(event.count for event in deleted)
        if count:
            yield _head_ends(view, cluster, deleted, count)


def _head_ends(
    view: View, cluster: Manifest, deleted: list[Event], count: int
) -> Cause:
    text, fix = _how_it_ends(view, deleted[-1].message)
    return Finding(
        f"has no head that stays: {text}",
        (f"{count} head pod{'s'[: count != 1]} replaced", str(deleted[-1])),
        fix,
        lasting=count >= HOPELESS_REPLACEMENTS,
        since=deleted[0].first,
    ).of(_name(cluster))


def _how_it_ends(view: View, said: str) -> tuple[str, str]:
    """Return how heads end by what the operator says of them, and what to do."""
    run = view.inventory.name
    if "OOMKilled" in said:
        fix = f"raise head.memory of the blueprint, then run ray-gke up {run} again"
        return "its Ray container needs more than its memory and is killed", fix
    logs = f"ray-gke logs {run} shows what it wrote"
    if (ended := _ENDED.search(said)) and ended[1] != "0":
        return f"its Ray container ends with exit code {ended[1]}", logs
    return "each ends before Ray runs in it", logs


def empty(view: View, now: float) -> Iterator[Cause]:
    """Yield that the operator has seen a cluster, and makes no pods for it."""
    for cluster in view.clusters:
        made = seconds(cluster["metadata"].get("creationTimestamp")) or now
        latest = max([made, *(e.last for e in view.events_of(cluster))])
        idle = (
            now - latest >= _EMPTY_SECONDS
            and not view.pods_of(cluster)
            and not cluster["spec"].get("suspend")
            and _has_status(cluster)
        )
        if idle and not view.hidden:
            yield Finding(
                "has no pods, and the KubeRay operator does not say why",
                (f"it was created {duration(now - made)} ago",),
                "look at the operator's log: kubectl logs -A -l "
                "app.kubernetes.io/name=kuberay-operator",
                since=made,
            ).of(_name(cluster))


def _name(one: Manifest) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"
