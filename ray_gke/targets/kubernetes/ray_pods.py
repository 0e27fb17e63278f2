"""What is read from the pods that KubeRay makes, and from its objects' conditions."""

from __future__ import annotations

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes.resources import labels

NODE_TYPE = "ray.io/node-type"
CLUSTER = "ray.io/cluster"
SERVES = "ray.io/serve"
HEAD_GROUP = "headgroup"


def condition(one: Manifest, kind: str) -> str:
    """Return the status of a condition: True, False, Unknown, or nothing."""
    return str(found_condition(one, kind).get("status", ""))


def found_condition(one: Manifest, kind: str) -> Manifest:
    """Return a condition with its reason and message; nothing when it is not there."""
    for found in (one.get("status") or {}).get("conditions") or ():
        if found.get("type") == kind:
            return dict(found)
    return {}


def is_ready(pod: Manifest) -> bool:
    """Tell whether a pod is ready and stays."""
    going = "deletionTimestamp" in pod["metadata"]
    return condition(pod, "Ready") == "True" and not going


def group_of(pod: Manifest) -> str:
    """Return the group that a Ray pod belongs to; the head's is `headgroup`."""
    return labels(pod).get("ray.io/group", "")


def is_worker(pod: Manifest) -> bool:
    """Tell whether a pod is a worker of a Ray cluster."""
    return labels(pod).get(NODE_TYPE) == "worker"
