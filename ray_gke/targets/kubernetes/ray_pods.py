"""What is read from the pods that KubeRay makes, and from its objects' conditions."""

from __future__ import annotations

from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import view
from ray_gke.targets.kubernetes.resources import labels

NODE_TYPE = "ray.io/node-type"
SERVES = "ray.io/serve"


def condition(one: Manifest, kind: str) -> str:
    """Return the status of a condition: True, False, Unknown, or nothing."""
    return str(view.condition(one, kind).get("status", ""))


def is_ready(pod: Manifest) -> bool:
    """Tell whether a pod is ready and stays."""
    return condition(pod, "Ready") == "True" and not view.is_going(pod)


def group_of(pod: Manifest) -> str:
    """Return the group that a Ray pod belongs to; the head's is `headgroup`."""
    return labels(pod).get(view.GROUP_LABEL, "")


def is_worker(pod: Manifest) -> bool:
    """Tell whether a pod is a worker of a Ray cluster."""
    return labels(pod).get(NODE_TYPE) == "worker"
