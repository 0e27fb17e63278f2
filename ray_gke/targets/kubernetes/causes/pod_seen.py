"""A pod as its causes are sought: with its events, at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ray_gke.planning.plan import HEAD
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.resources import labels
from ray_gke.targets.kubernetes.view import GROUP_LABEL, Event, condition, seconds

WAIT_FOR_HEAD = "wait-gcs-ready"
"""KubeRay's init container of workers, which ends once the head answers."""

AUTOSCALER = "autoscaler"
"""KubeRay's container for Ray's autoscaler, beside the head."""


@dataclass(frozen=True)
class PodSeen:
    """A pod of the run `run`, its events with the newest last, and the time."""

    run: str
    pod: Manifest
    events: tuple[Event, ...]
    now: float

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.pod["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.pod["metadata"].get("namespace", ""))

    @property
    def group(self) -> str:
        """Its group as KubeRay calls it; empty for the pod that submits a job."""
        return labels(self.pod).get(GROUP_LABEL, "")

    @property
    def is_head(self) -> bool:
        """Whether it is a head."""
        return self.group == HEAD

    @property
    def spec(self) -> Manifest:
        """Its spec."""
        return dict(self.pod.get("spec") or {})

    @property
    def status(self) -> Manifest:
        """Its status, empty as long as it has none."""
        return dict(self.pod.get("status") or {})

    @property
    def restarts(self) -> bool:
        """Whether its containers are started again when they end."""
        return bool(self.spec.get("restartPolicy", "Always") != "Never")

    @property
    def started(self) -> float:
        """When a node began with it, or else when it was created."""
        moments = (
            self.status.get("startTime"),
            condition(self.pod, "PodScheduled").get("lastTransitionTime"),
            self.pod["metadata"].get("creationTimestamp"),
        )
        return next((t for m in moments if (t := seconds(m))), self.now)

    def field(self, name: str) -> str:
        """Return in words where the blueprint says this about the pod's group."""
        if self.is_head:
            return f"head.{name} of the blueprint"
        return f"{name} of worker group {self.group}" if self.group else name

    def containers(self) -> list[tuple[Manifest, bool]]:
        """Return the statuses of its containers, and whether each is an init one."""
        init = self.status.get("initContainerStatuses") or []
        main = self.status.get("containerStatuses") or []
        return [*((one, True) for one in init), *((one, False) for one in main)]

    def container(self, name: str) -> Manifest:
        """Return what the spec says about a container."""
        spec = self.spec
        every = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
        return next((one for one in every if one.get("name") == name), {})

    def said(self, *reasons: str) -> list[Event]:
        """Return its events with one of these reasons."""
        return [event for event in self.events if event.reason in reasons]


def first(events: Iterable[Event], otherwise: float) -> float:
    """Return when the first of these events was."""
    return min((event.first for event in events), default=otherwise)


def subject(seen: list[PodSeen]) -> str:
    """Return what pods of one group are called in a sentence."""
    one = seen[0]
    if one.is_head:
        return f"head pod {one.name}"
    if not one.group:
        return f"submitter pod {one.name}"
    if len(seen) == 1:
        return f"worker pod {one.name}"
    return f"each of {len(seen)} worker pods of group {one.group}"


def by_group(seen: Iterable[PodSeen], key: Callable[[PodSeen], Any]) -> list[Any]:
    """Return the keys of pods, each once: heads first, submitters last."""
    ordered = sorted(seen, key=lambda one: (not one.is_head, not one.group))
    return list(dict.fromkeys(key(one) for one in ordered))
