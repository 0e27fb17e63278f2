"""The head of a run: its RayCluster, its pod, and the token that Ray asks for."""

from __future__ import annotations

import base64

from ray_gke.catalog.nearest import nearest
from ray_gke.errors import RefusedError, UsageError
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import inventory, permissions
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.inventory import Inventory
from ray_gke.targets.kubernetes.ray_pods import NODE_TYPE, SERVES, is_ready
from ray_gke.targets.kubernetes.resources import Ref
from ray_gke.targets.kubernetes.view import CLUSTER_LABEL

DASHBOARD_PORT, SERVE_PORT = 8265, 8000
_TOKEN_KEY = "auth_token"  # noqa: S105 the name of a key


def find(api: Api, namespace: str, name: str) -> Inventory:
    """Return the run `name`, or raise UsageError with the nearest name there is."""
    with permissions.all_at_once(api, permissions.to_look(namespace)):
        found = inventory.find(api, namespace, name)
        if found is None:
            raise no_run(api, namespace, name)
    return found


def no_run(api: Api, namespace: str, name: str) -> UsageError:
    """Return the error for a name that no run has, with the nearest that one has."""
    near = nearest(name, [one.name for one in inventory.in_namespace(api, namespace)])
    return UsageError(
        f"there is no run {name!r} in namespace {namespace}",
        hint=f"did you mean {near}?" if near else "ray-gke status lists all runs",
    )


def cluster(api: Api, run: Inventory) -> str:
    """Return the name of the RayCluster of a run, of a service the one that serves.

    Raises RefusedError when there is none.
    """
    ray = api.get(run.ray) if run.ray else None
    name = cluster_of(ray) if ray else ""
    if not name:
        raise RefusedError(
            f"{run.name} has no Ray cluster now",
            hint=f"ray-gke status {run.name} says how it stands",
        )
    return name


def cluster_of(ray: Manifest) -> str:
    """Return the name of the RayCluster that a Ray object stands for, if it has one."""
    status = ray.get("status") or {}
    match ray["kind"]:
        case "RayJob":
            return str(status.get("rayClusterName", ""))
        case "RayService":
            both = (status.get(f"{which}ServiceStatus") for which in _SERVICES)
            names = [one["rayClusterName"] for one in both if one and _named(one)]
            return str(names[0]) if names else ""
        case _:
            return str(ray["metadata"]["name"])


_SERVICES = ("active", "pending")


def _named(service: Manifest) -> bool:
    return bool(service.get("rayClusterName"))


def pod(api: Api, namespace: str, cluster_name: str) -> str:
    """Return the name of the head's pod; raises RefusedError while it is not ready."""
    selector = f"{CLUSTER_LABEL}={cluster_name},{NODE_TYPE}=head"
    return _ready(api, namespace, selector, f"the head of {cluster_name}")


def serving_pod(api: Api, namespace: str, cluster_name: str) -> str:
    """Return the name of a pod that answers for a service, as `pod` does."""
    selector = f"{CLUSTER_LABEL}={cluster_name},{SERVES}=true"
    return _ready(api, namespace, selector, f"{cluster_name}'s HTTP")


def _ready(api: Api, namespace: str, selector: str, what: str) -> str:
    pods = api.list("Pod", namespace, selector=selector)
    ready = sorted(one["metadata"]["name"] for one in pods if is_ready(one))
    if not ready:
        raise RefusedError(
            f"{what} is not ready", hint="ray-gke status says how it stands"
        )
    return str(ready[0])


def token(api: Api, namespace: str, cluster_name: str) -> str:
    """Return the token of a RayCluster, or nothing when it asks for none."""
    secret = api.get(Ref("Secret", namespace, cluster_name))
    kept = ((secret or {}).get("data") or {}).get(_TOKEN_KEY, "")
    return base64.b64decode(kept).decode().strip()
