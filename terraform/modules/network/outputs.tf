locals {
  _existing_id = var.existing == null ? null : (
    "projects/${coalesce(var.existing.network_project_id, var.project_id)}/global/networks/${var.existing.network}"
  )
}

output "network" {
  description = "What the module `cluster` takes as `network`; known when nodes have their way out"
  value = {
    network             = var.existing == null ? google_compute_network.this[0].id : local._existing_id
    subnetwork          = var.existing == null ? google_compute_subnetwork.this[0].id : data.google_compute_subnetwork.existing[0].id
    pods_range_name     = var.existing == null ? "pods" : var.existing.pods_range_name
    services_range_name = var.existing == null ? "services" : var.existing.services_range_name
  }

  depends_on = [google_compute_router_nat.this]
}
