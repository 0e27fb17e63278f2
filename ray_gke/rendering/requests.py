"""What rendered pods ask for: patches and a catalog's templates may add to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ray_gke.catalog.quantities import number
from ray_gke.gke.resources import Resources
from ray_gke.planning.plan import HEAD, Plan
from ray_gke.rendering.kuberay_rules import CLUSTER_KEY
from ray_gke.rendering.templates import Manifest


def added(plan: Plan, manifests: Sequence[Manifest]) -> dict[str, Resources]:
    """Return what the pods of each group ask for beyond Ray's container.

    By the name of the group, and only where it is something. KubeRay's own containers
    are not in the manifests and not counted.
    """
    known = {group.name: group for group in plan.groups}
    found = {}
    for name, pod in _pods(manifests):
        group = known.get(name)
        if group:
            ray = _amounts({"cpu": group.cpu, "memory": group.memory})
            found[name] = requests(pod) - ray
    return {name: extra for name, extra in found.items() if extra != Resources()}


def requests(pod: Manifest) -> Resources:
    """Return what the scheduler counts for a pod (Kubernetes, "Init containers").

    Containers run together, with sidecars: init containers that restart always. Each
    other init container runs before them, beside the sidecars that came earlier.
    """
    beside, before = Resources(), Resources()
    for container in pod.get("initContainers", ()):
        if container.get("restartPolicy") == "Always":
            beside += _of(container)
        else:
            before = before.at_least(beside + _of(container))
    for container in pod.get("containers", ()):
        beside += _of(container)
    return beside.at_least(before)


def _pods(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for one in manifests:
        if one["kind"] in CLUSTER_KEY:
            cluster: Manifest = one
            for key in CLUSTER_KEY[one["kind"]]:
                cluster = cluster[key]
            yield HEAD, cluster["headGroupSpec"]["template"]["spec"]
            for group in cluster.get("workerGroupSpecs", ()):
                yield group["groupName"], group["template"]["spec"]


def _of(container: Manifest) -> Resources:
    resources = container.get("resources", {})
    return _amounts({**resources.get("limits", {}), **resources.get("requests", {})})


def _amounts(asked: dict[str, Any]) -> Resources:
    return Resources(
        int(number(str(asked.get("cpu", 0))) * 1000),
        int(number(str(asked.get("memory", 0)))),
    )
