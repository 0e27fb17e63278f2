"""Whether a run is as it should be, and what it waits for until then."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ray_gke.errors import FailedError
from ray_gke.events import Emit, Note
from ray_gke.planning.plan import HEAD
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import causes, view
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.apply import Application
from ray_gke.targets.kubernetes.inventory import OURS, Inventory
from ray_gke.targets.kubernetes.job_states import (
    VALIDATION_FAILED,
    deployment_status,
    has_ended,
)
from ray_gke.targets.kubernetes.ray_pods import condition, group_of, is_ready
from ray_gke.targets.kubernetes.resources import RAY_KINDS, Ref
from ray_gke.targets.kubernetes.view import View

# KubeRay looks at a service every two seconds; until it has seen an edit, its status
# is that of before. Source: ServiceDefaultRequeueDuration in KubeRay 1.5.1.
_SEEN_SECONDS = 12.0
_QUIET_SECONDS = 5.0


def ready_now(api: Api, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Return those whose runs are ready now, read in few requests."""
    namespaces = sorted({one.inventory.namespace for one in waiting})
    places = [(kind, space) for kind in (*RAY_KINDS, "Pod") for space in namespaces]
    lists = api.in_parallel(lambda p: api.list(*p, selector=OURS), places)
    seen = {Ref.of(one): one for found in lists for one in found}
    pods = [one for ref, one in seen.items() if ref.kind == "Pod"]
    return [one for one in waiting if _stands(one, seen, pods)]


def _stands(
    one: Waiting, seen: Mapping[Ref, Manifest], pods: Iterable[Manifest]
) -> bool:
    known = one.inventory
    ray = seen.get(known.ray) if known.ray else None
    mine = tuple(pod for pod in pods if known.has(pod))
    return ray is not None and one.is_ready(View(known, ray=ray, pods=mine))


@dataclass(eq=False)
class Waiting:
    """The wait for one run, since `began` on the monotonic clock."""

    run: Application
    began: float
    _news: str = ""
    _told: str = ""

    def __post_init__(self) -> None:
        self.inventory = self.run.remembered

    def look(self, api: Api, *, last: bool) -> bool:
        """Tell whether it is ready; a job is once it runs or has ended.

        Raises FailedError with the cause when waiting is of no use, or the time is up.
        """
        now = view.read(api, self.inventory)
        if self.is_ready(now):
            return True
        found = causes.causes(now, time.time())
        self._news = self._waits_for(now, found)
        if found and found[0].lasting:
            raise self._failed("will not become ready", found)
        if last:
            seconds = time.monotonic() - self.began
            raise self._failed(f"is not ready after {seconds:.0f} s", found)
        return False

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
        edited, previous = self.run.edited or (-math.inf, "")
        if time.monotonic() < edited + _SEEN_SECONDS:
            return False
        status = ray.get("status") or {}
        active = status.get("activeServiceStatus") or {}
        pending = status.get("pendingServiceStatus") or {}
        applications = active.get("applicationStatuses") or {}
        return (
            condition(ray, "Ready") == "True"
            and active.get("rayClusterName") != previous
            and not pending.get("rayClusterName")
            and bool(applications)
            and all(one.get("status") == "RUNNING" for one in applications.values())
        )

    def tell(self, emit: Emit) -> None:
        """Say what it waits for, whenever that changes."""
        if self._news and self._news != self._told:
            self._told = self._news
            emit(Note(self.inventory.name, self._told))

    def _waits_for(self, now: View, found: list[causes.Cause]) -> str:
        if found and time.monotonic() > self.began + _QUIET_SECONDS:
            return found[0].what
        return progress(now, self.inventory)

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
    """Tell whether Ray has the job, or had it: of one that is refused there is none."""
    status = deployment_status(job)
    return status == "Running" or (has_ended(job) and status != VALIDATION_FAILED)
