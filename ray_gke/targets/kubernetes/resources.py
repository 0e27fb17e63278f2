"""The kinds of objects that we read or write, and where the API has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ray_gke.rendering.templates import Manifest


@dataclass(frozen=True)
class Resource:
    """A kind, as the API server's paths have it."""

    api_version: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of one object, of all in a namespace, or of all there are."""
        root = "/apis/" if self.group else "/api/"
        within = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{self.api_version}{within}/{self.plural}" + (
            f"/{name}" if name else ""
        )


RESOURCES: Mapping[str, Resource] = {
    "Namespace": Resource("v1", "namespaces", namespaced=False),
    "PriorityClass": Resource(
        "scheduling.k8s.io/v1", "priorityclasses", namespaced=False
    ),
    "ServiceAccount": Resource("v1", "serviceaccounts"),
    "Secret": Resource("v1", "secrets"),
    "NetworkPolicy": Resource("networking.k8s.io/v1", "networkpolicies"),
    "PodDisruptionBudget": Resource("policy/v1", "poddisruptionbudgets"),
    "ConfigMap": Resource("v1", "configmaps"),
    "Service": Resource("v1", "services"),
    "RayCluster": Resource("ray.io/v1", "rayclusters"),
    "RayJob": Resource("ray.io/v1", "rayjobs"),
    "RayService": Resource("ray.io/v1", "rayservices"),
    "Deployment": Resource("apps/v1", "deployments"),
    "PodMonitoring": Resource("monitoring.googleapis.com/v1", "podmonitorings"),
    "PodMonitor": Resource("monitoring.coreos.com/v1", "podmonitors"),
    "Rules": Resource("monitoring.googleapis.com/v1", "rules"),
    "ClusterRules": Resource(
        "monitoring.googleapis.com/v1", "clusterrules", namespaced=False
    ),
    "PrometheusRule": Resource("monitoring.coreos.com/v1", "prometheusrules"),
}
"""What a plan may be made of, in the order in which it is applied."""

OTHERS: Mapping[str, Resource] = {
    "CustomResourceDefinition": Resource(
        "apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False
    ),
    "Certificate": Resource("cert-manager.io/v1", "certificates"),
    "CronJob": Resource("batch/v1", "cronjobs"),
    "DaemonSet": Resource("apps/v1", "daemonsets"),
    "Event": Resource("v1", "events"),
    "Job": Resource("batch/v1", "jobs"),
    "Lease": Resource("coordination.k8s.io/v1", "leases"),
    "Node": Resource("v1", "nodes", namespaced=False),
    "Pod": Resource("v1", "pods"),
    "ResourceQuota": Resource("v1", "resourcequotas"),
    "PersistentVolume": Resource("v1", "persistentvolumes", namespaced=False),
    "PersistentVolumeClaim": Resource("v1", "persistentvolumeclaims"),
    "ReplicaSet": Resource("apps/v1", "replicasets"),
    "Prometheus": Resource("monitoring.coreos.com/v1", "prometheuses"),
    "StatefulSet": Resource("apps/v1", "statefulsets"),
    "Ingress": Resource("networking.k8s.io/v1", "ingresses"),
    "HTTPRoute": Resource("gateway.networking.k8s.io/v1", "httproutes"),
    "Gateway": Resource("gateway.networking.k8s.io/v1", "gateways"),
}
"""What we look at, our locks, and what goes with a cluster of ours."""

RAY_KINDS = ("RayCluster", "RayJob", "RayService")

_ORDER = {kind: number for number, kind in enumerate(RESOURCES)}


def resource(kind: str) -> Resource:
    """Return the resource of a kind that we know."""
    return RESOURCES.get(kind) or OTHERS[kind]


@dataclass(frozen=True)
class Ref:
    """Which object; `namespace` is empty for a kind without."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, one: Manifest) -> Ref:
        """Return the reference to an object that names its kind."""
        metadata = one["metadata"]
        namespace = (
            metadata.get("namespace", "") if resource(one["kind"]).namespaced else ""
        )
        return cls(one["kind"], namespace, metadata["name"])

    @property
    def path(self) -> str:
        """The object's path in the API."""
        return resource(self.kind).path(self.namespace, self.name)

    @property
    def order(self) -> int:
        """Where its kind stands when objects are applied."""
        return _ORDER[self.kind]

    def __str__(self) -> str:
        """Return it as kubectl writes it: `RayCluster/name`."""
        return f"{self.kind}/{self.name}"


def labels(one: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the labels of an object."""
    found: Mapping[str, str] = one.get("metadata", {}).get("labels") or {}
    return found
