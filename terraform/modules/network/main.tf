locals {
  _made = var.existing == null ? 1 : 0
}

resource "google_compute_network" "this" {
  #checkov:skip=CKV2_GCP_18:GKE makes the firewall rules of its nodes itself

  count = local._made

  project                 = var.project_id
  name                    = var.name
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

resource "google_compute_subnetwork" "this" {
  count = local._made

  project       = var.project_id
  name          = var.name
  region        = var.region
  network       = google_compute_network.this[0].id
  ip_cidr_range = var.ranges.nodes

  # Nodes without addresses of their own stream images by it.
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = var.ranges.pods
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = var.ranges.services
  }

  dynamic "log_config" {
    for_each = var.flow_logs[*]

    content {
      aggregation_interval = "INTERVAL_10_MIN"
      flow_sampling        = log_config.value
      metadata             = "INCLUDE_ALL_METADATA"
    }
  }
}

resource "google_compute_router" "this" {
  count = var.nat.enabled ? local._made : 0

  project = var.project_id
  name    = var.name
  region  = var.region
  network = google_compute_network.this[0].id
}

resource "google_compute_router_nat" "this" {
  count = var.nat.enabled ? local._made : 0

  project = var.project_id
  name    = var.name
  region  = var.region
  router  = google_compute_router.this[0].name

  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  subnetwork {
    name                    = google_compute_subnetwork.this[0].id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }

  # Ports by need: pods that pull images and data at once need many, others few. Google
  # does not offer it together with endpoint-independent mapping.
  enable_dynamic_port_allocation      = true
  enable_endpoint_independent_mapping = false
  min_ports_per_vm                    = var.nat.min_ports_per_vm
  max_ports_per_vm                    = var.nat.max_ports_per_vm

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

data "google_compute_subnetwork" "existing" {
  count = var.existing == null ? 0 : 1

  project = coalesce(var.existing.network_project_id, var.project_id)
  region  = var.region
  name    = var.existing.subnetwork

  lifecycle {
    postcondition {
      condition     = self.private_ip_google_access
      error_message = "The subnetwork ${var.existing.subnetwork} has no Private Google Access: nodes without addresses of their own could not stream images. Turn it on: gcloud compute networks subnets update ${var.existing.subnetwork} --region ${var.region} --enable-private-ip-google-access"
    }
    postcondition {
      condition = length(setsubtract(
        [var.existing.pods_range_name, var.existing.services_range_name],
        self.secondary_ip_range[*].range_name,
      )) == 0
      error_message = "The subnetwork ${var.existing.subnetwork} has the secondary ranges ${join(", ", self.secondary_ip_range[*].range_name)}: existing.pods_range_name and services_range_name must be two of them."
    }
  }
}
