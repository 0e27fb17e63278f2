"""The token with which Ray's autoscaler asks Kubernetes for workers.

The token of a pod is mounted in all of its containers, so also where jobs' drivers run,
and KubeRay's Role lets it change every pod and Ray cluster of the namespace. So what
Kubernetes would mount in all of the head's containers is here for the autoscaler alone.

Sources: Kubernetes, plugin/pkg/admission/serviceaccount/admission.go (what the volume
has); KubeRay, controllers/ray/common/pod.go (mergeAutoscalerOverrides, which takes over
volumeMounts).
"""

from __future__ import annotations

from ray_gke.planning.plan import Plan
from ray_gke.rendering.templates import Manifest

VOLUME = "autoscaler-token"
PLACE = "/var/run/secrets/kubernetes.io/serviceaccount"


def volumes(plan: Plan) -> list[Manifest]:
    """Return the volume of the head's pod, where there is an autoscaler beside it."""
    if not plan.autoscaling:
        return []
    namespace = {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
    authority = {"key": "ca.crt", "path": "ca.crt"}
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [authority]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return [{"name": VOLUME, "projected": {"sources": sources}}]


def mounts() -> list[Manifest]:
    """Return what the autoscaler mounts."""
    return [{"name": VOLUME, "mountPath": PLACE, "readOnly": True}]
