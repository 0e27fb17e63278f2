"""The node pools that Terraform made in the stand-in cloud, and their nodes' looks."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests import fake_gke
from tests.terraform.cloud import Cloud, Object

_PREFIX = "cloud.google.com/"
ZONE = "topology.kubernetes.io/zone"
_LONGEST_NAME = 63


@dataclass(frozen=True)
class NodePool:
    """A node pool as Google has it; numbers of nodes are those of all zones together.

    `initial` nodes are made with it, and from `minimum` to `maximum` there may be.
    """

    id: str
    cluster: str
    name: str
    zones: tuple[str, ...]
    initial: int
    minimum: int
    maximum: int
    labels: Mapping[str, str]
    taints: tuple[tuple[str, str, str], ...]
    allocatable: Mapping[str, str]

    @cached_property
    def hash(self) -> str:
        """What the names of its nodes have in common; another look is another hash."""
        looks = [self.id, self.zones, self.labels, self.taints, self.allocatable]
        text = json.dumps(looks, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def node_name(self, suffix: str) -> str:
        """Return a name like GKE's: names of cluster and pool are cut where needed."""
        end = f"-{self.hash}-{suffix}"
        start = f"gke-{self.cluster}-{self.name}"[: _LONGEST_NAME - len(end)]
        return start.rstrip("-") + end

    def node_labels(self, zone: str) -> dict[str, str]:
        """Return the labels of its nodes in a zone."""
        return {**self.labels, ZONE: zone}


def of_cluster(cloud: Cloud, name: str = "") -> list[NodePool]:
    """Return the node pools of a cluster; without a name, of the only one there is.

    Node pools whose cluster is gone are gone with it.
    """
    there = cloud.objects()
    clusters = [
        one
        for one in there
        if one.type == "google_container_cluster" and name in ("", one.name)
    ]
    if len(clusters) > 1:
        raise LookupError(f"say which: the cloud has {[one.id for one in clusters]}")
    return [
        _node_pool(pool, cluster)
        for cluster in clusters
        for pool in there
        if pool.type == "google_container_node_pool"
        and pool.id.startswith(f"{cluster.id}/nodePools/")
    ]


def _node_pool(pool: Object, cluster: Object) -> NodePool:
    said = fake_gke.pool_of_terraform(pool.values)
    zones = _zones(pool, cluster)
    initial, minimum, maximum = _numbers(pool.values, len(zones))
    region = "-".join(cluster.values["location"].split("-")[:2])
    labels = fake_gke.node_labels(said) | said["labels"] | _labels(pool.values)
    return NodePool(
        id=pool.id,
        cluster=cluster.name,
        name=pool.name,
        zones=zones,
        initial=initial,
        minimum=minimum,
        maximum=maximum,
        labels=labels | {"topology.kubernetes.io/region": region},
        taints=tuple(sorted(fake_gke.node_taints(said))),
        allocatable=_allocatable(said, pool.values["max_pods_per_node"]),
    )


def _zones(pool: Object, cluster: Object) -> tuple[str, ...]:
    """Return the zones of the nodes; of a region, GKE takes three by itself."""
    location = cluster.values["location"]
    own = [location] if location.count("-") > 1 else []
    of_cluster = own + (cluster.values["node_locations"] or [])
    by_itself = [f"{location}-{letter}" for letter in "abc"]
    return tuple(pool.values["node_locations"] or of_cluster or by_itself)


def _numbers(values: Mapping[str, Any], zones: int) -> tuple[int, int, int]:
    """Return how many nodes there are at first, at least and at most."""
    first = (values["node_count"] or values["initial_node_count"] or 0) * zones
    if not values["autoscaling"]:
        return first, first, first
    (scaling,) = values["autoscaling"]
    least, most = (
        scaling[f"total_{bound}_node_count"]
        or (scaling[f"{bound}_node_count"] or 0) * zones
        for bound in ("min", "max")
    )
    return max(first, least), least, most


def _labels(values: Mapping[str, Any]) -> dict[str, str]:
    """Return further labels of GKE's, which no plan has to know."""
    (node,) = values["node_config"]
    family = node["machine_type"].partition("-")[0]
    labels = {
        "kubernetes.io/arch": "amd64",
        f"{_PREFIX}machine-family": family,
        f"{_PREFIX}gke-boot-disk": node["disk_type"],
        "iam.gke.io/gke-metadata-server-enabled": "true",
    }
    if node["flex_start"]:
        labels[f"{_PREFIX}gke-flex-start"] = "true"
    if any(config["enabled"] for config in node["gcfs_config"]):
        labels |= {
            f"{_PREFIX}gke-image-streaming": "true",
            f"{_PREFIX}gke-gcfs": "true",
        }
    for gpu in node["guest_accelerator"]:
        for driver in gpu["gpu_driver_installation_config"]:
            version = driver["gpu_driver_version"].lower()
            said = "disabled" if version == "installation_disabled" else version
            labels[f"{_PREFIX}gke-gpu-driver-version"] = said
    return labels


def _allocatable(said: fake_gke.Object, pods: int) -> dict[str, str]:
    cpus, memory = fake_gke.allocatable(said)
    gpus = fake_gke.devices(said)
    return {
        "cpu": f"{math.floor(cpus * 1000)}m",
        "memory": str(math.floor(memory)),
        "pods": str(pods),
        **({fake_gke.GPU: str(gpus)} if gpus else {}),
    }
