"""What KubeRay does with an edit: change the cluster in place, or build another.

Source: KubeRay 1.5.1, controllers/ray/rayservice_controller.go (shouldUpdateCluster,
shouldPrepareNewCluster, generateHashWithoutReplicasAndWorkersToDelete) and
raycluster_controller.go: pods that exist are never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ray_gke.gke.nodes import GPU_RESOURCE
from ray_gke.rendering.kuberay_rules import CLUSTER_KEY
from ray_gke.rendering.templates import Manifest

SCALE = ("replicas", "minReplicas", "maxReplicas", "scaleStrategy")
"""Fields of a worker group that say how many workers there are."""

_LIVE_IN_GROUP = (*SCALE, "idleTimeoutSeconds")
_LIVE_IN_POD = ("tolerations", "schedulingGates")


@dataclass(frozen=True)
class Edit:
    """What an edit of a Ray object means.

    `replaces`: the object must be deleted and made anew, and what runs on it ends.
    `new_cluster`: another cluster comes up first, and needs so many `gpus` besides.
    """

    note: str
    replaces: bool = False
    new_cluster: bool = False
    gpus: int = 0


def edit(before: Manifest, after: Manifest) -> Edit:
    """Return what it means that a Ray object changes from `before` to `after`."""
    kind = after["kind"]
    old, new = _cluster(before), _cluster(after)
    if kind == "RayJob":
        return Edit("made anew: a job runs once", replaces=True)
    same = _is_in_place(old, new, kind)
    if kind == "RayCluster":
        if same:
            return Edit("in place")
        return Edit("made anew: pods that exist are never changed", replaces=True)
    if same:
        return Edit("in place: the cluster stays")
    upgrade = after["spec"].get("upgradeStrategy", {}).get("type", "NewCluster")
    if upgrade == "None":
        return Edit("kept back: upgradeStrategy None, the cluster is not changed")
    note = "a new cluster beside the old one, then traffic moves to it"
    return Edit(note, new_cluster=True, gpus=gpus(new))


def gpus(cluster: Mapping[str, Any]) -> int:
    """Return how many GPUs a Ray cluster takes with the least workers it may have."""
    total = _gpus_of_pod(cluster.get("headGroupSpec", {}))
    for group in cluster.get("workerGroupSpecs") or ():
        workers = max(group.get("replicas") or 0, group.get("minReplicas") or 0)
        total += workers * (group.get("numOfHosts") or 1) * _gpus_of_pod(group)
    return total


def without_scale(groups: Iterable[Manifest]) -> list[Manifest]:
    """Return worker groups without what Ray's autoscaler writes there."""
    written = ("replicas", "scaleStrategy")
    return [_without(group, written) for group in groups]


def _cluster(one: Manifest) -> Manifest:
    found = one
    for step in CLUSTER_KEY[one["kind"]]:
        found = found.get(step) or {}
    return found


def _is_in_place(old: Manifest, new: Manifest, kind: str) -> bool:
    """Tell whether only such fields differ that a living cluster takes.

    Groups may be added at the end.
    """
    ignored = _LIVE_IN_GROUP if kind == "RayCluster" else SCALE
    before, after = _lasting(old, ignored), _lasting(new, ignored)
    old_groups, new_groups = (
        before.pop("workerGroupSpecs"),
        after.pop("workerGroupSpecs"),
    )
    return before == after and new_groups[: len(old_groups)] == old_groups


def _lasting(cluster: Manifest, ignored: Iterable[str]) -> Manifest:
    groups = cluster.get("workerGroupSpecs") or []
    return {
        **cluster,
        "headGroupSpec": _without_live_pod(cluster.get("headGroupSpec") or {}),
        "workerGroupSpecs": [
            _without_live_pod(_without(group, ignored)) for group in groups
        ],
    }


def _without_live_pod(group: Manifest) -> Manifest:
    template = group.get("template") or {}
    spec = _without(template.get("spec") or {}, _LIVE_IN_POD)
    return {**group, "template": {**template, "spec": spec}}


def _without(one: Manifest, keys: Iterable[str]) -> Manifest:
    return {key: value for key, value in one.items() if key not in set(keys)}


def _gpus_of_pod(group: Mapping[str, Any]) -> int:
    return sum(_gpus(group.get("template", {}).get("spec", {})))


def _gpus(pod: Mapping[str, Any]) -> Iterator[int]:
    for container in pod.get("containers") or ():
        limits = (container.get("resources") or {}).get("limits") or {}
        yield int(limits.get(GPU_RESOURCE, 0))
