output "cluster" {
  description = "What the module `gpu-node-pool` takes as `cluster`; known when the system pool is there, so that GPU pools come after it"
  value = {
    name     = google_container_cluster.this.name
    location = google_container_cluster.this.location
    version  = google_container_cluster.this.master_version
  }

  depends_on = [google_container_node_pool.system]
}

output "name" {
  description = "Name of the cluster"
  value       = google_container_cluster.this.name

  depends_on = [google_container_node_pool.system]
}

output "location" {
  description = "Region or zone of the cluster"
  value       = google_container_cluster.this.location
}

output "dns_endpoint" {
  description = "DNS name of the control plane, which IAM guards; its certificate is one of Google's public ones"
  value       = google_container_cluster.this.control_plane_endpoints_config[0].dns_endpoint_config[0].endpoint

  depends_on = [google_container_node_pool.system]
}

output "ip_endpoint" {
  description = "Address of the control plane; null where `control_plane.ip_endpoint` is not given"
  value       = var.control_plane.ip_endpoint == null ? null : google_container_cluster.this.endpoint
}

output "ca_certificate" {
  description = "Certificate of the cluster's own authority, base64, for the IP endpoint"
  value       = google_container_cluster.this.master_auth[0].cluster_ca_certificate
}

output "master_version" {
  description = "GKE version of the control plane"
  value       = google_container_cluster.this.master_version
}

output "node_service_account" {
  description = "E-mail of the nodes' service account; known when it has its roles"
  value       = local.node_service_account

  depends_on = [google_project_iam_member.nodes]
}

output "workload_identity_pool" {
  description = "Pool of the Kubernetes service accounts, for IAM bindings"
  value       = "${var.project_id}.svc.id.goog"

  depends_on = [google_container_cluster.this]
}
