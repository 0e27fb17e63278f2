"""Which runs have pods on node pools that a plan takes away."""

from __future__ import annotations

from dataclasses import replace

from ray_gke.errors import FailedError, RefusedError
from ray_gke.gke.nodes import NODE_POOL
from ray_gke.rendering.labels import RUN
from ray_gke.rendering.templates import Manifest
from ray_gke.targets.kubernetes import inventory
from ray_gke.targets.kubernetes.api import Api
from ray_gke.targets.kubernetes.resources import labels
from ray_gke.targets.terraform.changes import Changes

_PATIENCE_SECONDS = 5.0


def ending(changes: Changes) -> frozenset[str]:
    """Return the names of the node pools that a plan of Terraform takes away."""
    pools = (one for one in changes.todo if one.type == "google_container_node_pool")
    return frozenset(str(one.values["name"]) for one in pools if one.ends)


def runs_on(api: Api, pools: frozenset[str]) -> list[str]:
    """Return `NAME in namespace NAMESPACE` for each run with pods on these pools.

    None of them where the cluster does not tell.
    """
    patient = replace(api, patience=_PATIENCE_SECONDS)
    selector = f"{NODE_POOL} in ({','.join(sorted(pools))})"
    try:
        nodes = {
            one["metadata"]["name"] for one in patient.list("Node", selector=selector)
        }
        pods = patient.list("Pod", selector=inventory.OURS)
    except (FailedError, RefusedError):
        return []
    return sorted({_run(pod) for pod in pods if pod["spec"].get("nodeName") in nodes})


def _run(pod: Manifest) -> str:
    return f"{labels(pod)[RUN]} in namespace {pod['metadata']['namespace']}"
