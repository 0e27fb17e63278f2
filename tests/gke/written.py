"""What tests of the world write: node pools without Terraform, pods, a platform."""

from __future__ import annotations

from typing import Any

from tests.terraform.cloud import Cloud

Object = dict[str, Any]

LOCATION = "europe-west4"
ZONES = [f"{LOCATION}-a", f"{LOCATION}-b"]
GPU = "nvidia.com/gpu"
GPU_TAINT = {"key": GPU, "value": "present", "effect": "NO_SCHEDULE"}


def put_cluster(cloud: Cloud, name: str, location: str = LOCATION) -> str:
    """Add a cluster, and return its id."""
    identity = f"projects/my-project/locations/{location}/clusters/{name}"
    values = {"name": name, "location": location, "node_locations": ZONES}
    cloud.put("google_container_cluster", identity, values)
    return identity


def put_pool(
    cloud: Cloud,
    cluster: str,
    name: str,
    *,
    node: Object | None = None,
    scaling: Object | None = None,
    **more: Any,
) -> None:
    """Add a node pool of 16 vCPUs without GPUs, or as `node` says, from zero nodes."""
    said = {
        "machine_type": "n1-standard-16",
        "disk_type": "pd-balanced",
        "labels": {},
        "taint": [],
        "spot": False,
        "flex_start": None,
        "guest_accelerator": [],
        "reservation_affinity": [],
        "gcfs_config": [],
    }
    limits = {
        "total_min_node_count": 0,
        "total_max_node_count": 1,
        "min_node_count": None,
        "max_node_count": None,
    }
    values = {
        "name": name,
        "node_locations": ZONES,
        "initial_node_count": 0,
        "node_count": 0,
        "max_pods_per_node": 110,
        "autoscaling": [limits | (scaling or {})],
        "node_config": [said | (node or {})],
    }
    cloud.put(
        "google_container_node_pool", f"{cluster}/nodePools/{name}", values | more
    )


def gpus(accelerator: str, partition: str = "", clients: int = 0) -> Object:
    """Return the part of a `node` with one GPU."""
    sharing = {
        "gpu_sharing_strategy": "TIME_SHARING",
        "max_shared_clients_per_gpu": clients,
    }
    accelerators = {
        "type": accelerator,
        "count": 1,
        "gpu_partition_size": partition,
        "gpu_sharing_config": [sharing] if clients else [],
        "gpu_driver_installation_config": [{"gpu_driver_version": "LATEST"}],
    }
    return {"guest_accelerator": [accelerators], "taint": [GPU_TAINT]}


def pod(name: str, requests: Object, **spec: Any) -> Object:
    """Return a pod that may run wherever Pod Security is "restricted"."""
    container = {
        "name": "main",
        "image": "example.com/image",
        "resources": {"requests": requests, "limits": requests},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "securityContext": security, **spec},
    }
