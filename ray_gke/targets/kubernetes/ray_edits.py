"""What KubeRay does with an edit: change the cluster in place, or build another.

Source: KubeRay 1.5.1, controllers/ray/rayservice_controller.go (shouldUpdateCluster,
shouldPrepareNewCluster, generateHashWithoutReplicasAndWorkersToDelete) and
raycluster_controller.go: pods that exist are never changed. Ray's autoscaler reads its
options from the RayCluster again and again (autoscaler/v2/autoscaler.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ray_gke.gke.nodes import GPU_RESOURCE
from ray_gke.rendering.kuberay_rules import CLUSTER_KEY
from ray_gke.rendering.templates import Manifest
from ray_gke.versions import parsed

SCALE = ("replicas", "minReplicas", "maxReplicas", "scaleStrategy")
"""Fields of a worker group that say how many workers there are."""

AUTOSCALED = ("replicas", "scaleStrategy")
"""Those of them that Ray's autoscaler writes."""

_OF_AUTOSCALER = ("idleTimeoutSeconds", "upscalingMode")
_OF_SCHEDULER = ("tolerations", "schedulingGates")
_NOTHING = ()
_VERSION = "ray.io/kuberay-version"
_MUTES_TOLERATIONS = "1.6.0"


@dataclass(frozen=True)
class Edit:
    """What an edit of a Ray object means.

    `replaces`: the object must be deleted and made anew, and what runs on it ends.
    `new_cluster`: another cluster comes up first, and needs so many `gpus` besides.
    `in_place`: the cluster that there is stays and is changed.
    """

    note: str
    replaces: bool = False
    in_place: bool = False
    new_cluster: bool = False
    gpus: int = 0


SCALED = Edit("in place: numbers of workers", in_place=True)
"""The edit of a service's RayCluster, which KubeRay leaves to us."""

_IN_PLACE = Edit("in place: the cluster stays", in_place=True)
_LATER = Edit(
    "in place: the cluster stays, and KubeRay changes its tolerations only with "
    "another edit of it",
    in_place=True,
)


def edit(before: Manifest, after: Manifest, serving: Manifest | None = None) -> Edit:
    """Return what it means that a Ray object changes from `before` to `after`.

    `serving` is the RayCluster that a RayService has now, the newest one.
    """
    match after["kind"]:
        case "RayJob":
            return Edit("made anew: a job runs once", replaces=True)
        case "RayCluster":
            return _of_cluster(_cluster(before), _cluster(after))
        case _:
            return _of_service(serving or before, after)


def _of_cluster(old: Manifest, new: Manifest) -> Edit:
    before, after = _Lasting.of_cluster(old), _Lasting.of_cluster(new)
    kept = {group["groupName"]: group for group in after.groups}
    if before.rest == after.rest and all(
        kept.get(group["groupName"]) == group for group in before.groups
    ):
        return _IN_PLACE
    return Edit("made anew: pods that exist are never changed", replaces=True)


def _of_service(now: Manifest, after: Manifest) -> Edit:
    version = now["metadata"].get("annotations", {}).get(_VERSION, "").lstrip("v")
    muted = (
        _OF_SCHEDULER if parsed(version or "0") >= parsed(_MUTES_TOLERATIONS) else ()
    )
    old = _Lasting.of_service(_cluster(now), muted)
    new = _Lasting.of_service(_cluster(after), muted)
    if old.rest == new.rest and new.groups[: len(old.groups)] == old.groups:
        more = len(new.groups) > len(old.groups)
        told = more or _is_tolerant(_cluster(now), _cluster(after))
        return _IN_PLACE if told else _LATER
    upgrade = after["spec"].get("upgradeStrategy", {}).get("type", "NewCluster")
    if upgrade == "None":
        return Edit("kept back: upgradeStrategy None, the cluster is not changed")
    note = "a new cluster beside the old one, then traffic moves to it"
    return Edit(note, new_cluster=True, gpus=gpus(_cluster(after)))


def gpus(cluster: Mapping[str, Any]) -> int:
    """Return how many GPUs a Ray cluster takes with the least workers it may have."""
    total = _gpus_of_pod(cluster.get("headGroupSpec", {}))
    for group in cluster.get("workerGroupSpecs") or ():
        workers = max(group.get("replicas") or 0, group.get("minReplicas") or 0)
        total += workers * (group.get("numOfHosts") or 1) * _gpus_of_pod(group)
    return total


def without_scale(groups: Iterable[Manifest]) -> list[Manifest]:
    """Return worker groups without what Ray's autoscaler writes there."""
    return [_without(group, AUTOSCALED) for group in groups]


def _cluster(one: Manifest) -> Manifest:
    found = one
    for step in CLUSTER_KEY[one["kind"]]:
        found = found.get(step) or {}
    return found


@dataclass(frozen=True)
class _Lasting:
    """Of a Ray cluster what a living one cannot take: its groups, and the rest."""

    groups: list[Manifest]
    rest: Manifest

    @classmethod
    def of_cluster(cls, cluster: Manifest) -> _Lasting:
        options = _without(cluster.get("autoscalerOptions") or {}, _OF_AUTOSCALER)
        return cls.of(
            {**cluster, "autoscalerOptions": options},
            (*SCALE, "idleTimeoutSeconds"),
            _OF_SCHEDULER,
        )

    @classmethod
    def of_service(cls, cluster: Manifest, of_pods: Iterable[str]) -> _Lasting:
        return cls.of(cluster, SCALE, of_pods)

    @classmethod
    def of(
        cls, cluster: Manifest, of_groups: Iterable[str], of_pods: Iterable[str]
    ) -> _Lasting:
        head = _without_in_pod(cluster.get("headGroupSpec") or {}, of_pods)
        groups = [
            _without_in_pod(_without(group, of_groups), of_pods)
            for group in cluster.get("workerGroupSpecs") or ()
        ]
        rest = _without(cluster, ("headGroupSpec", "workerGroupSpecs"))
        return cls(groups, {**rest, "headGroupSpec": head})


def _is_tolerant(now: Manifest, wanted: Manifest) -> bool:
    """Tell whether a cluster has the tolerations wanted.

    KubeRay ignores a RayService's edit of nothing else.
    """
    old, new = (_Lasting.of_service(cluster, _NOTHING) for cluster in (now, wanted))
    return old == new


def _without_in_pod(group: Manifest, keys: Iterable[str]) -> Manifest:
    template = group.get("template") or {}
    spec = _without(template.get("spec") or {}, keys)
    return {**group, "template": {**template, "spec": spec}}


def _without(one: Manifest, keys: Iterable[str]) -> Manifest:
    return {key: value for key, value in one.items() if key not in set(keys)}


def _gpus_of_pod(group: Mapping[str, Any]) -> int:
    return sum(_gpus(group.get("template", {}).get("spec", {})))


def _gpus(pod: Mapping[str, Any]) -> Iterator[int]:
    for container in pod.get("containers") or ():
        limits = (container.get("resources") or {}).get("limits") or {}
        yield int(limits.get(GPU_RESOURCE, 0))
