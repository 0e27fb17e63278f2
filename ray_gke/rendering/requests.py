"""What rendered pods ask for, and whether they still are what the plan is made for.

Patches and a catalog's templates may add to pods, and change what the plan decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ray_gke.catalog.quantities import number
from ray_gke.errors import Problem
from ray_gke.gke.nodes import GPU_RESOURCE, NODE_POOL, tolerations
from ray_gke.gke.resources import Resources
from ray_gke.planning.plan import HEAD, SUBMITTER, Group, Plan
from ray_gke.planning.pods import Patched
from ray_gke.rendering.kuberay_rules import ray_cluster
from ray_gke.rendering.templates import Manifest

Found = tuple[str, Manifest, Manifest]
"""A group's name, what stands around its pod, and the pod itself."""


def patched(plan: Plan, manifests: Sequence[Manifest]) -> dict[str, Patched]:
    """Return what the pods of a group ask for where that is not what was planned.

    By the name of the group. KubeRay's own containers are not in the manifests.
    """
    known = {group.name: group for group in plan.groups}
    found = {}
    for name, _, pod in _pods(manifests):
        if name in known:
            group = known[name]
            ray = _amounts({"cpu": group.cpu, "memory": group.memory})
            found[name] = Patched(ray, requests(pod))
    return {
        name: one
        for name, one in found.items()
        if one.ray + known[name].beside != one.pod
    }


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


def disagreements(plan: Plan, manifests: Sequence[Manifest]) -> Iterator[Problem]:
    """Yield what patches changed that node pools were made for."""
    found = {name: (around, pod) for name, around, pod in _pods(manifests)}
    place = plan.places.get(("spec", "patches", 0))
    for group in plan.groups:
        if group.name not in found:
            yield Problem(
                f"no group {group.name} is left in what patches make of {plan.name}",
                place,
                "change worker_groups instead",
            )
            continue
        for what, have, planned in _compared(group, *found[group.name]):
            if have != planned:
                yield Problem(
                    f"group {group.name} of {plan.name} has {what} {have} after "
                    f"patches, and its node pool is made for {planned}",
                    place,
                    "say it in the blueprint instead, where the plan sees it",
                )


def _compared(
    group: Group, around: Manifest, pod: Manifest
) -> Iterator[tuple[str, object, object]]:
    if group.role == "worker":
        yield "maxReplicas", around.get("maxReplicas"), group.max_replicas
        yield "minReplicas", around.get("minReplicas", 0), group.min_replicas
    asked = sum(
        int(_resources(container).get(GPU_RESOURCE, 0))
        for container in pod.get("containers", ())
    )
    yield GPU_RESOURCE, asked, group.num_gpus
    pool = group.node_selector.get(NODE_POOL)
    yield NODE_POOL, pod.get("nodeSelector", {}).get(NODE_POOL), pool
    tolerated = pod.get("tolerations", ())
    for needed in tolerations(group.shape):
        yield (
            "toleration of",
            needed["key"] if needed in tolerated else None,
            needed["key"],
        )


def _pods(manifests: Sequence[Manifest]) -> Iterator[Found]:
    for one in manifests:
        _, cluster = ray_cluster(one)
        if cluster:
            head = cluster["headGroupSpec"]
            yield HEAD, head, head["template"]["spec"]
            for group in cluster.get("workerGroupSpecs", ()):
                yield group["groupName"], group, group["template"]["spec"]
        submitter = one.get("spec", {}).get("submitterPodTemplate")
        if submitter:
            yield SUBMITTER, submitter, submitter["spec"]


def _resources(container: Manifest) -> Manifest:
    resources = container.get("resources", {})
    return {**resources.get("limits", {}), **resources.get("requests", {})}


def _of(container: Manifest) -> Resources:
    return _amounts(_resources(container))


def _amounts(asked: dict[str, Any]) -> Resources:
    return Resources(
        int(number(str(asked.get("cpu", 0))) * 1000),
        int(number(str(asked.get("memory", 0)))),
    )
