"""The tiny configurations that the stand-in providers are tried with."""

from __future__ import annotations

NETWORK = """
resource "google_compute_network" "this" {
  name                    = "ray"
  auto_create_subnetworks = false
}
"""
CLUSTER = """
resource "google_container_cluster" "this" {
  name                     = "ray"
  location                 = "us-central1-a"
  network                  = google_compute_network.this.id
  initial_node_count       = 1
  remove_default_node_pool = true
  deletion_protection      = false
}
"""
POOL = """
resource "google_container_node_pool" "this" {
  name               = "a100"
  cluster            = google_container_cluster.this.id
  initial_node_count = 0
  autoscaling {
    total_min_node_count = 0
    total_max_node_count = 3
  }
  node_config {
    machine_type = "a2-highgpu-1g"
    spot         = true
    labels       = { team = "vision" }
    guest_accelerator {
      type               = "nvidia-tesla-a100"
      count              = 1
      gpu_partition_size = "1g.5gb"
    }
  }
}
"""
ALL = NETWORK + CLUSTER + POOL
POOL_ID = "projects/some-project/locations/us-central1-a/clusters/ray/nodePools/a100"
REPOSITORY = """
resource "google_artifact_registry_repository" "this" {
  location      = "us-central1"
  repository_id = "mirror"
  format        = "DOCKER"
  labels        = { team = "vision" }
}
"""
IN_A_CLUSTER = """
resource "kubernetes_namespace_v1" "this" {
  metadata { name = "vision" }
}
resource "helm_release" "this" {
  name      = "kuberay-operator"
  namespace = kubernetes_namespace_v1.this.metadata[0].name
  chart     = "kuberay-operator"
  set       = [{ name = "image.tag", value = "v1.5.1" }]
}
"""
