"""Wait until a run is as it should be, and tell meanwhile what it waits for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ray_gke.errors import FailedError
from ray_gke.events import Emit, Note
from ray_gke.planning.plan import HEAD
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import causes, view
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.inventory import OURS, Inventory
from ray_gke.targets.kubernetes.ray_pods import condition, group_of, is_ready
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref
from ray_gke.targets.kubernetes.view import View

# A small part of the time that it has taken so far.
_POLL_SHARE, _POLL_SECONDS, _LONGEST_POLL_SECONDS = 1 / 60, 0.3, 2.0
# KubeRay looks at a service every two seconds; until it has seen an edit, its status
# is that of before. Source: ServiceDefaultRequeueDuration in KubeRay 1.5.1.
_SEEN_SECONDS = 12.0
_QUIET_SECONDS = 5.0


def ready_already(api: Api, known: Sequence[Inventory]) -> frozenset[Ref]:
    """Return the Ray objects of the runs that are ready now, read in few requests."""
    namespaces = sorted({one.namespace for one in known})
    places = [(kind, space) for kind in (*RAY_KINDS, "Pod") for space in namespaces]
    lists = api.in_parallel(lambda p: api.list(*p, selector=OURS), places)
    seen = {Ref.of(one): one for found in lists for one in found}
    pods = [one for ref, one in seen.items() if ref.kind == "Pod"]
    return frozenset(
        one.ray
        for one in known
        if one.ray in seen and one.ray and _stands(api, one, seen[one.ray], pods)
    )


def _stands(
    api: Api, known: Inventory, ray: Manifest, pods: Sequence[Manifest]
) -> bool:
    mine = tuple(pod for pod in pods if known.has(pod))
    waiting = Waiting(api, known, lambda _: None, deadline=0.0)
    return waiting.is_ready(View(known, ray=ray, pods=mine))


@dataclass
class Waiting:
    """The wait for one run, at most until `deadline` on the monotonic clock.

    `edited` is when this command has changed a service that was there, and `previous`
    the cluster that it must leave, if the edit needs a new one. `began` is when it has
    begun to wait.
    """

    api: Api
    inventory: Inventory
    emit: Emit
    deadline: float
    check: Callable[[], None] = lambda: None
    edited: float | None = None
    previous: str = ""
    began: float = field(default_factory=time.monotonic)
    _told: str = ""

    def until_ready(self) -> View:
        """Return what there is once it is ready; of a job, once it runs or has ended.

        Raises FailedError with the cause when waiting is of no use, or takes too long.
        """
        while True:
            self.check()
            now = view.read(self.api, self.inventory)
            if self.is_ready(now):
                return now
            found = causes.causes(now, time.time())
            self._tell(now, found)
            if found and found[0].lasting:
                raise self._failed("will not become ready", found)
            if time.monotonic() > self.deadline:
                seconds = time.monotonic() - self.began
                raise self._failed(f"is not ready after {seconds:.0f} s", found)
            time.sleep(self._pause())

    def _pause(self) -> float:
        share = (time.monotonic() - self.began) * _POLL_SHARE
        return min(max(share, _POLL_SECONDS), _LONGEST_POLL_SECONDS)

    def is_ready(self, now: View) -> bool:
        """Tell whether a run is as it should be. Raises FailedError if it is gone."""
        if now.ray is None:
            raise FailedError(
                f"{self.inventory.ray} was removed by somebody else",
                hint=f"ray-gke up {self.inventory.name} makes it again",
            )
        match self.inventory.kind:
            case "job":
                return _has_started(now.ray)
            case "service":
                return self._serves(now.ray)
            case _:
                return _has_workers(now, self.inventory)

    def _serves(self, ray: Manifest) -> bool:
        if self.edited is not None and time.monotonic() < self.edited + _SEEN_SECONDS:
            return False
        status = ray.get("status") or {}
        active = status.get("activeServiceStatus") or {}
        pending = status.get("pendingServiceStatus") or {}
        applications = active.get("applicationStatuses") or {}
        return (
            condition(ray, "Ready") == "True"
            and active.get("rayClusterName") != self.previous
            and not pending.get("rayClusterName")
            and bool(applications)
            and all(one.get("status") == "RUNNING" for one in applications.values())
        )

    def _tell(self, now: View, found: list[causes.Cause]) -> None:
        """Say what it waits for, whenever that changes."""
        if found and time.monotonic() > self.began + _QUIET_SECONDS:
            text = found[0].what
        else:
            text = progress(now, self.inventory)
        if text and text != self._told:
            self._told = text
            self.emit(Note(self.inventory.name, text))

    def _failed(self, what: str, found: list[causes.Cause]) -> FailedError:
        name = self.inventory.name
        if not found:
            hint = f"ray-gke explain {name} shows more; ray-gke up {name} goes on"
            return FailedError(f"{name} {what}", hint=hint)
        cause = found[0]
        evidence = "".join(f"\n  {line}" for line in cause.evidence)
        return FailedError(f"{name} {what}: {cause.what}{evidence}", hint=cause.fix)


def ready_by_group(pods: tuple[Manifest, ...]) -> Counter[str]:
    """Return how many pods of each group are ready; the head's is `headgroup`."""
    return Counter(group_of(pod) for pod in pods if is_ready(pod))


def progress(now: View, inventory: Inventory) -> str:
    """Return how far a run is, in a few words."""
    pods = [pod for pod in now.pods if group_of(pod)]
    if not pods:
        return ""
    ready = sum(map(is_ready, pods))
    least = 1 + sum(group.min_replicas for group in inventory.groups)
    return f"{ready} of {max(len(pods), least)} pods ready"


def _has_workers(now: View, inventory: Inventory) -> bool:
    """Tell whether the head and the least workers of each group are ready."""
    assert now.ray is not None
    if condition(now.ray, "HeadPodReady") != "True":
        return False
    ready = ready_by_group(now.pods)
    return ready[HEAD] > 0 and all(
        ready[group.name] >= group.min_replicas for group in inventory.groups
    )


def _has_started(job: Manifest) -> bool:
    """Tell whether Ray has the job, or it has ended in some way."""
    status = job.get("status") or {}
    return status.get("jobDeploymentStatus") in {"Running", "Complete", "Failed"}
