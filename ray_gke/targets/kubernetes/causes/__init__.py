"""Why a run is not as it should be: all that can be told from one look at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.explanation import Cause
from ray_gke.targets.kubernetes.causes import (
    creation,
    pods,
    ray_jobs,
    ray_objects,
    ray_services,
)
from ray_gke.targets.kubernetes.causes.pod_seen import PodSeen
from ray_gke.targets.kubernetes.job_states import has_ended
from ray_gke.targets.kubernetes.status import standing
from ray_gke.targets.kubernetes.view import View

__all__ = ["Cause", "causes"]


def causes(view: View, now: float) -> list[Cause]:
    """Return why the run is not ready or has failed, the most important first.

    Empty for a run in order, and for a job that has succeeded. `now` is Unix time.
    """
    found = list(dict.fromkeys(_all(view, now)))
    return sorted(found, key=lambda cause: not cause.lasting)


def _all(view: View, now: float) -> Iterator[Cause]:
    if has_ended(view.ray):
        yield from ray_objects.going(view, now)
        yield from ray_jobs.causes(view)
        if ray_jobs.was_not_submitted(view.ray):
            yield from pods.causes(_seen(view, view.submitter_pods, now))
        return
    yield from ray_jobs.causes(view)
    yield from ray_objects.causes(view, now)
    if view.ray is None:
        return
    refused = list(creation.causes(view, now))
    yield from refused or ray_objects.empty(view, now)
    staying = [pod for cluster in view.clusters for pod in view.pods_of(cluster)]
    yield from pods.causes(_seen(view, [*staying, *view.submitter_pods], now))
    yield from ray_services.causes(view)
    if standing(view.ray)[0] != "RUNNING":
        yield from ray_objects.warnings(view, now)


def _seen(view: View, some: Iterable[Manifest], now: float) -> Iterator[PodSeen]:
    run = view.inventory.name
    return (PodSeen(run, pod, tuple(view.events_of(pod)), now) for pod in some)
