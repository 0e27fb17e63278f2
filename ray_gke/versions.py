"""Which versions ray-gke uses, and what goes with what.

Sources: KubeRay's API types and controllers/ray/utils/validation.go at the tags
v1.5.1, v1.6.2 and v1.7.0; Ray's release notes.
"""

from __future__ import annotations

import re

RAY_VERSION = "2.60.0"
PYTHON_TAG = "py311"
KUBERAY_VERSION = "1.5.1"
KUBERAY_VERSIONS = ("1.5.1", "1.6.2", "1.7.0")
KUBERNETES_VERSION = "1.34.0"
"""The API that rendered pods and core objects are checked against."""
FLUENT_BIT_IMAGE = "fluent/fluent-bit:5.1.1"
COLLECTOR_IMAGE = "quay.io/kuberay/collector:v1.7.0"
OPERATOR_IMAGE = "quay.io/kuberay/operator"
"""What KubeRay's chart installs, with the tag vVERSION."""
OPERATOR_NAMESPACE = "kuberay-system"
"""Where the README, and Terraform, install KubeRay's operator."""
PAUSE_IMAGE = "registry.k8s.io/pause:3.10"

RAY_SINCE = {
    "token authentication": "2.52.0",
    "priority of a worker group": "2.56.0",
}
OLDEST_RAY = RAY_SINCE["token authentication"]

KUBERAY_SINCE = {
    "AuthOptions.enableK8sTokenAuth": "1.6.2",
    "AuthOptions.secretName": "1.6.2",
    "DeletionCondition.jobDeploymentStatus": "1.6.2",
    "RayClusterSpec.upgradeStrategy": "1.6.2",
    "RayJobSpec.preRunningDeadlineSeconds": "1.6.2",
    "RayServiceSpec.managedBy": "1.6.2",
    "AutoscalerOptions.args": "1.7.0",
    "AutoscalerOptions.command": "1.7.0",
    "GcsFaultToleranceOptions.backend": "1.7.0",
    "GcsFaultToleranceOptions.storage": "1.7.0",
    "HeadGroupSpec.ingressOptions": "1.7.0",
    "RayClusterSpec.historyServerOptions": "1.7.0",
    "RayClusterSpec.networkPolicy": "1.7.0",
    "RayClusterSpec.tlsOptions": "1.7.0",
    "RayServiceSpec.suspend": "1.7.0",
    "WorkerGroupSpec.priority": "1.7.0",
}
"""Fields that KubeRay 1.5.1 does not have, by their Go type and JSON name."""


def parsed(version: str) -> tuple[int, ...]:
    """Return `2.60.0` as (2, 60, 0), so that versions can be compared."""
    return tuple(int(part) for part in version.split("."))


def image(ray_version: str, *, gpu: bool) -> str:
    """Return the image of the Ray project for a version of Ray."""
    return f"rayproject/ray:{ray_version}-{PYTHON_TAG}{'-gpu' if gpu else ''}"


def ray_version_of(image_reference: str) -> str | None:
    """Return the version of Ray that an image's tag begins with, or None."""
    tag = re.search(r":(\d+\.\d+\.\d+)(?![\d.])[^:/@]*(?:@|$)", image_reference)
    return tag[1] if tag else None


IMAGE = image(RAY_VERSION, gpu=False)
