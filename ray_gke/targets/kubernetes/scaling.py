"""How many workers a RayCluster is to have: our limits, and what its autoscaler wants.

The cluster of a RayService keeps its numbers in KubeRay 1.5.1: it is changed when a
hash of the RayService changes, and they are not in that. For the same reason KubeRay
does not revert what others write there. Source: rayservice_controller.go,
generateHashWithoutReplicasAndWorkersToDelete.
"""

from __future__ import annotations

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.ray_edits import AUTOSCALED
from ray_gke.targets.kubernetes.resources import Ref, resource

_LIMITS = ("minReplicas", "maxReplicas")


def with_workers(wanted: Manifest, here: Manifest) -> Manifest:
    """Return a RayCluster with the workers that its autoscaler wants now."""
    if wanted["kind"] != "RayCluster":
        return wanted
    current = {
        group["groupName"]: group
        for group in here["spec"].get("workerGroupSpecs") or ()
    }
    groups = [
        _kept(group, current.get(group["groupName"], {}))
        for group in wanted["spec"]["workerGroupSpecs"]
    ]
    return {**wanted, "spec": {**wanted["spec"], "workerGroupSpecs": groups}}


def _kept(group: Manifest, current: Manifest) -> Manifest:
    if "replicas" in group:
        return group
    kept = {key: current[key] for key in AUTOSCALED if key in current}
    if kept.get("replicas") is not None:
        kept["replicas"] = min(kept["replicas"], group["maxReplicas"])
    return {**group, **kept}


def scaled(cluster: Manifest, service: Manifest) -> Manifest | None:
    """Return what gives a RayCluster the numbers that its RayService is to have.

    None when it has them, or other groups. A list has one owner, so it is whole.
    """
    config = service["spec"]["rayClusterConfig"]
    now = cluster["spec"].get("workerGroupSpecs") or []
    wanted = config.get("workerGroupSpecs") or []
    if _names(now) != _names(wanted):
        return None
    elastic = bool(config.get("enableInTreeAutoscaling"))
    numbers = [_numbers(group, elastic=elastic) for group in wanted]
    pairs = list(zip(now, numbers, strict=True))
    if all(group.items() >= ours.items() for group, ours in pairs):
        return None
    ref = Ref.of(cluster)
    return {
        "apiVersion": resource(ref.kind).api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "spec": {"workerGroupSpecs": [_sized(group, ours) for group, ours in pairs]},
    }


def _names(groups: list[Manifest]) -> list[str]:
    return [group["groupName"] for group in groups]


def _numbers(group: Manifest, *, elastic: bool) -> Manifest:
    """Return the numbers of a group that are ours; the rest is the autoscaler's."""
    changes = elastic and group.get("minReplicas") != group.get("maxReplicas")
    keys = _LIMITS if changes else (*_LIMITS, "replicas")
    return {key: group[key] for key in keys if group.get(key) is not None}


def _sized(group: Manifest, ours: Manifest) -> Manifest:
    sized = {**group, **ours}
    if "replicas" in ours:
        return sized
    least, most = (sized.get(key) for key in _LIMITS)
    replicas = max(sized.get("replicas") or 0, least or 0)
    return {**sized, "replicas": replicas if most is None else min(replicas, most)}
