"""Everything that a cluster knows about one run, read in few requests at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ray_gke.rendering.labels import BALLOON, RUN
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.api import Api, NotAllowedError
from ray_gke.targets.kubernetes.inventory import Inventory
from ray_gke.targets.kubernetes.resources import Ref, labels

CLUSTER_LABEL = "ray.io/cluster"
GROUP_LABEL = "ray.io/group"

_Ask = Callable[[], Any]

# Of these there are many, and they only say that something went well.
_DULL = ("Scheduled", "Created", "Started", "Killing", "SuccessfulCreate")


@dataclass(frozen=True)
class Event:
    """What somebody has said about an object; `first` and `last` are Unix times."""

    kind: str
    name: str
    uid: str
    reason: str
    message: str
    warning: bool
    count: int
    first: float
    last: float

    def __str__(self) -> str:
        """Return it as one line of evidence."""
        times = f" ({self.count} times)" if self.count > 1 else ""
        text = " ".join(self.message.split())
        return f"event of {self.kind}/{self.name}: {self.reason}: {text}{times}"


@dataclass(frozen=True)
class View:
    """One run at one moment, as data.

    `ray` is the Ray object, None when it is gone. `clusters` are its RayClusters that
    count: of a RayService the active one and the one that is to follow. `pods` are all
    pods of the run but balloons, the submitter's among them. `submitter` is the Job
    that hands a RayJob to Ray. `events` are of all these, the newest last. `hidden`
    says what could not be read, for lack of permissions.
    """

    inventory: Inventory
    ray: Manifest | None = None
    clusters: tuple[Manifest, ...] = ()
    pods: tuple[Manifest, ...] = ()
    balloons: tuple[Manifest, ...] = ()
    submitter: Manifest | None = None
    events: tuple[Event, ...] = ()
    hidden: tuple[str, ...] = ()

    def events_of(self, one: Manifest) -> list[Event]:
        """Return the events of an object, the newest last."""
        uid = one["metadata"].get("uid")
        return [event for event in self.events if event.uid == uid]

    def pods_of(self, cluster: Manifest) -> list[Manifest]:
        """Return the pods of a RayCluster that are to stay."""
        name = cluster["metadata"]["name"]
        return [
            pod
            for pod in self.pods
            if labels(pod).get(CLUSTER_LABEL) == name and not is_going(pod)
        ]

    @property
    def submitter_pods(self) -> list[Manifest]:
        """The pods that hand a job to Ray."""
        return [
            pod
            for pod in self.pods
            if CLUSTER_LABEL not in labels(pod) and not is_going(pod)
        ]


def read(api: Api, inventory: Inventory) -> View:
    """Return what there is of a run now."""
    ray = inventory.ray
    hidden: list[str] = []

    def listed(kind: str, selector: str = "", fields: str = "") -> list[Manifest]:
        try:
            return api.list(kind, inventory.namespace, selector=selector, fields=fields)
        except NotAllowedError as error:
            hidden.append(str(error))
            return []

    chosen = f"{RUN}={inventory.name}"
    dull = ",".join(f"reason!={reason}" for reason in _DULL)
    asked: list[_Ask] = [
        lambda: api.get(ray) if ray else None,
        lambda: _submitter(api, ray, hidden),
        lambda: listed("RayCluster", chosen),
        lambda: listed("Pod", chosen),
        lambda: listed("Event", fields=dull),
    ]
    answers: list[Any] = api.in_parallel(lambda ask: ask(), asked)
    one, submitter, clusters, pods, events = answers
    found = View(
        inventory,
        ray=one,
        clusters=tuple(_current(one, clusters)),
        pods=tuple(pod for pod in pods if BALLOON not in labels(pod)),
        balloons=tuple(pod for pod in pods if BALLOON in labels(pod)),
        submitter=submitter,
        hidden=tuple(hidden),
    )
    return with_events(found, events)


def with_events(view: View, events: Iterable[Manifest]) -> View:
    """Return the view with those of the namespace's events that are about it."""
    objects = [*view.clusters, *view.pods, *view.balloons]
    objects += [one for one in (view.ray, view.submitter) if one]
    uids = {one["metadata"].get("uid") for one in objects}
    ours = [
        _event(event)
        for event in events
        if event.get("involvedObject", {}).get("uid") in uids
    ]
    return replace(view, events=tuple(sorted(ours, key=lambda event: event.last)))


def is_going(one: Manifest) -> bool:
    """Tell whether an object is being deleted."""
    return bool(one["metadata"].get("deletionTimestamp"))


def seconds(moment: str | None) -> float | None:
    """Return a time of the API as Unix time."""
    return datetime.fromisoformat(moment).timestamp() if moment else None


def condition(one: Manifest | None, kind: str) -> Manifest:
    """Return a condition of an object, empty when it has none of this type."""
    for found in ((one or {}).get("status") or {}).get("conditions") or ():
        if found.get("type") == kind:
            return dict(found)
    return {}


def _submitter(api: Api, ray: Ref | None, hidden: list[str]) -> Manifest | None:
    """Return the Job that KubeRay makes to submit a RayJob; it has the same name."""
    if ray is None or ray.kind != "RayJob":
        return None
    try:
        return api.get(Ref("Job", ray.namespace, ray.name))
    except NotAllowedError as error:
        hidden.append(str(error))
        return None


def _current(ray: Manifest | None, clusters: list[Manifest]) -> Iterator[Manifest]:
    """Yield the RayClusters that a Ray object speaks of; labels name all it ever had.

    KubeRay gives its own labels and those of a RayJob or RayService to the clusters
    that it makes for it.
    """
    if ray is None:
        return
    if ray["kind"] == "RayCluster":
        yield ray
        return
    status = ray.get("status") or {}
    parts = [status.get(f"{part}ServiceStatus") or {} for part in ("pending", "active")]
    names = [part.get("rayClusterName") for part in (status, *parts)]
    by_name = {one["metadata"]["name"]: one for one in clusters}
    yield from (by_name[name] for name in names if name in by_name)


def _event(one: Manifest) -> Event:
    about = one.get("involvedObject") or {}
    series = one.get("series") or {}
    made = one.get("eventTime") or one["metadata"].get("creationTimestamp")
    first = seconds(one.get("firstTimestamp") or made) or 0.0
    last = seconds(series.get("lastObservedTime") or one.get("lastTimestamp") or made)
    return Event(
        kind=about.get("kind", ""),
        name=about.get("name", ""),
        uid=about.get("uid", ""),
        reason=one.get("reason", ""),
        message=one.get("message", ""),
        warning=one.get("type") == "Warning",
        count=series.get("count") or one.get("count") or 1,
        first=first,
        last=last or first,
    )
