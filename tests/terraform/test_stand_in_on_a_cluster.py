"""The kubernetes and helm stand-ins, told of a cluster: they really apply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.bed import Bed
from tests.terraform.cloud import Cloud
from tests.terraform.conftest import Root

pytestmark = pytest.mark.cluster

OBJECTS = """
resource "kubernetes_priority_class_v1" "this" {
  metadata { name = "NAMESPACE-balloon" }
  value             = -10
  global_default    = false
  preemption_policy = "Never"
}
resource "kubernetes_resource_quota_v1" "this" {
  metadata {
    name      = "team"
    namespace = "NAMESPACE"
  }
  spec { hard = { "requests.cpu" = "4000m", "requests.nvidia.com/gpu" = 7 } }
}
resource "kubernetes_config_map_v1" "this" {
  metadata {
    name      = "team"
    namespace = "NAMESPACE"
    labels    = { team = "vision" }
  }
  data = { "some_key" = "some value" }
}
resource "kubernetes_secret_v1" "this" {
  metadata {
    name      = "team"
    namespace = "NAMESPACE"
  }
  data = { password = "hidden" }
}
resource "kubernetes_service_account_v1" "this" {
  metadata {
    name      = "ray"
    namespace = "NAMESPACE"
  }
  automount_service_account_token = false
}
resource "kubernetes_role_v1" "this" {
  metadata {
    name      = "ray"
    namespace = "NAMESPACE"
  }
  rule {
    api_groups = ["ray.io"]
    resources  = ["rayclusters"]
    verbs      = ["get", "list"]
  }
}
resource "kubernetes_network_policy_v1" "this" {
  metadata {
    name      = "ray"
    namespace = "NAMESPACE"
  }
  spec {
    policy_types = ["Ingress"]
    pod_selector { match_labels = { "ray.io/is-ray-node" = "yes" } }
    ingress {
      from {
        namespace_selector { match_labels = { team = "vision" } }
      }
      ports {
        port     = "8265"
        protocol = "TCP"
      }
    }
  }
}
resource "kubernetes_deployment_v1" "this" {
  metadata {
    name      = "balloon"
    namespace = "NAMESPACE"
  }
  wait_for_rollout = false
  spec {
    replicas = 2
    selector { match_labels = { app = "balloon" } }
    template {
      metadata { labels = { app = "balloon" } }
      spec {
        priority_class_name              = "NAMESPACE-balloon"
        termination_grace_period_seconds = 0
        automount_service_account_token  = false
        node_selector                    = { "cloud.google.com/gke-spot" = "true" }
        toleration {
          key      = "nvidia.com/gpu"
          operator = "Exists"
          effect   = "NoSchedule"
        }
        security_context {
          run_as_user     = 65535
          run_as_non_root = true
          seccomp_profile { type = "RuntimeDefault" }
        }
        container {
          name  = "pause"
          image = "registry.k8s.io/pause:3.9"
          resources {
            requests = { cpu = "1000m", memory = "9Gi", "nvidia.com/gpu" = 1 }
            limits   = { "nvidia.com/gpu" = 1 }
          }
          security_context {
            allow_privilege_escalation = false
            capabilities { drop = ["ALL"] }
          }
        }
      }
    }
  }
  depends_on = [kubernetes_priority_class_v1.this]
}
resource "kubernetes_manifest" "this" {
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "written", namespace = "NAMESPACE" }
    data       = { name = "value" }
  }
}
resource "helm_release" "this" {
  name      = "kuberay-operator"
  namespace = "NAMESPACE"
  chart     = "kuberay-operator"
}
"""


@pytest.fixture
def applied(cluster: Bed, namespace: str, root: Root) -> Iterator[Root]:
    """All of them in a namespace of their own; they are destroyed afterwards."""
    plane = cluster.control_plane
    access = (
        f"host = {json.dumps(plane.url)}\n"
        f"token = {json.dumps(plane.token)}\n"
        f"cluster_ca_certificate = file({json.dumps(str(plane.ca))})\n"
    )
    (root.folder / "cluster.tf").write_text(
        f'provider "kubernetes" {{\n{access}}}\n'
        f'provider "helm" {{\nkubernetes = {{\n{access}}}\n}}\n'
    )
    root.write(OBJECTS.replace("NAMESPACE", namespace))
    try:
        root.succeeds("apply")
        yield root
    finally:
        root.succeeds("destroy")


def _get(cluster: Bed, path: str) -> Any:
    return cluster.control_plane.api.get(path)


def test_objects_are_in_the_cluster_as_they_are_written(
    cluster: Bed, namespace: str, applied: Root, cloud: Cloud
) -> None:
    core = f"/api/v1/namespaces/{namespace}"
    quota = _get(cluster, f"{core}/resourcequotas/team")
    assert quota["spec"]["hard"] == {
        "requests.cpu": "4",
        "requests.nvidia.com/gpu": "7",
    }
    settings = _get(cluster, f"{core}/configmaps/team")
    assert settings["data"] == {"some_key": "some value"}
    assert settings["metadata"]["labels"] == {"team": "vision"}
    assert _get(cluster, f"{core}/secrets/team")["data"] == {"password": "aGlkZGVu"}
    assert _get(cluster, f"{core}/configmaps/written")["data"] == {"name": "value"}
    balloon = _get(cluster, f"/apis/apps/v1/namespaces/{namespace}/deployments/balloon")
    pod = balloon["spec"]["template"]["spec"]
    assert balloon["spec"]["replicas"] == 2
    assert pod["priorityClassName"] == f"{namespace}-balloon"
    assert pod["securityContext"]["runAsUser"] == 65535
    assert pod["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert pod["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert [o.type for o in cloud.objects()] == ["helm_release"]
    assert applied.run("plan", "-detailed-exitcode").returncode == 0


def test_drift_in_the_cluster_is_seen_and_put_right(
    cluster: Bed, namespace: str, applied: Root
) -> None:
    scale = ["scale", "deployment/balloon", "--replicas", "5", "-n", namespace]
    cluster.kubectl(*scale)
    cluster.kubectl("delete", "configmap", "team", "-n", namespace)
    planned = applied.run("plan", "-detailed-exitcode")
    assert planned.returncode == 2
    assert '"5" -> "2"' in planned.stdout
    assert "Plan: 1 to add, 1 to change, 0 to destroy." in planned.stdout
    applied.succeeds("apply")
    assert applied.run("plan", "-detailed-exitcode").returncode == 0


def test_what_is_there_already_is_not_taken_over(namespace: str, applied: Root) -> None:
    (applied.folder / "terraform.tfstate").rename(applied.folder / "kept")
    error = applied.fails("apply")
    assert 'configmaps "team" already exists' in error
    (applied.folder / "kept").rename(applied.folder / "terraform.tfstate")
