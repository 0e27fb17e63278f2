"""Names of environment variables, and those that are not the user's to set."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from ray_gke.catalog.faults import fault
from ray_gke.catalog.quantities import Shape

# Set by ray-gke or KubeRay on every container; another value breaks the cluster.
_OWN_ENV = frozenset(
    {
        "FQ_RAY_IP",
        "PYTHONPATH",
        "RAY_ADDRESS",
        "RAY_AUTH_MODE",
        "RAY_AUTH_TOKEN_PATH",
        "RAY_CLOUD_INSTANCE_ID",
        "RAY_CLUSTER_NAME",
        "RAY_CLUSTER_NAMESPACE",
        "RAY_ENABLE_K8S_TOKEN_AUTH",
        "RAY_IP",
        "RAY_NODE_TYPE_NAME",
        "RAY_OVERRIDE_NODE_ID_FOR_TESTING",
        "RAY_PORT",
        "RAY_REDIS_ADDRESS",
        "RAY_enable_autoscaler_v2",
    }
)
_SECRETS = frozenset({"RAY_AUTH_TOKEN", "REDIS_PASSWORD", "RAY_REDIS_PASSWORD"})


def _free(name: str) -> str:
    if name in _SECRETS:
        message = f"{name} is a secret, which never stands in a file"
        raise fault(message, hint="remove it: ray-gke makes the token itself")
    if name in _OWN_ENV:
        message = f"{name} is set by ray-gke and must not change"
        raise fault(message, hint="remove it")
    return name


EnvName = Annotated[
    str,
    Shape("[A-Za-z_][A-Za-z0-9_]*", "letters, digits and '_', such as LOG_LEVEL", 250),
    AfterValidator(_free),
]
