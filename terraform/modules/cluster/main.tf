locals {
  _region   = regex("^[a-z]+-[a-z]+[0-9]+", var.location)
  _regional = local._region == var.location

  # Of a zonal cluster, those beside its own.
  _node_locations = [for zone in var.zones : zone if zone != var.location]
}

resource "google_container_cluster" "this" {
  #checkov:skip=CKV_GCP_66:Needs a policy of the project's own; features.binary_authorization
  #checkov:skip=CKV_GCP_12:Dataplane V2 enforces network policies, and refuses this block

  project  = var.project_id
  name     = var.name
  location = var.location

  node_locations      = length(local._node_locations) == 0 ? null : local._node_locations
  deletion_protection = var.deletion_protection
  resource_labels     = var.labels
  min_master_version  = var.release.version

  networking_mode             = "VPC_NATIVE"
  network                     = var.network.network
  subnetwork                  = var.network.subnetwork
  datapath_provider           = "ADVANCED_DATAPATH"
  enable_intranode_visibility = true
  default_max_pods_per_node   = var.network.max_pods_per_node
  enable_shielded_nodes       = true
  enable_legacy_abac          = false

  # GKE makes a pool with every cluster; this one goes again. Its node counts against
  # quotas, and would be the project's default account if nothing were said.
  remove_default_node_pool = true
  initial_node_count       = 1

  node_config {
    service_account = local.node_service_account
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    disk_type       = "pd-standard"
    disk_size_gb    = 50
    metadata        = { disable-legacy-endpoints = "true" }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }

  release_channel {
    channel = var.release.channel
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = var.network.pods_range_name
    services_secondary_range_name = var.network.services_range_name
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = var.control_plane.ip_endpoint == null ? true : var.control_plane.ip_endpoint.private
  }

  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = var.control_plane.dns_external_traffic
    }

    ip_endpoints_config {
      enabled = var.control_plane.ip_endpoint != null
    }
  }

  dynamic "master_authorized_networks_config" {
    for_each = var.control_plane.ip_endpoint[*]

    content {
      gcp_public_cidrs_access_enabled = false

      dynamic "cidr_blocks" {
        for_each = master_authorized_networks_config.value.authorized_networks

        content {
          display_name = cidr_blocks.key
          cidr_block   = cidr_blocks.value
        }
      }
    }
  }

  dynamic "authenticator_groups_config" {
    for_each = var.control_plane.rbac_security_group[*]

    content {
      security_group = authenticator_groups_config.value
    }
  }

  dynamic "database_encryption" {
    for_each = var.control_plane.database_encryption_key[*]

    content {
      state    = "ENCRYPTED"
      key_name = database_encryption.value
    }
  }

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  workload_identity_config {
    workload_pool = "${var.project_id}.svc.id.goog"
  }

  # cluster.local stays the domain: Ray's heads are found by it.
  dns_config {
    cluster_dns       = "CLOUD_DNS"
    cluster_dns_scope = "CLUSTER_SCOPE"
  }

  gateway_api_config {
    channel = var.features.gateway_api ? "CHANNEL_STANDARD" : "CHANNEL_DISABLED"
  }

  addons_config {
    http_load_balancing {
      disabled = false
    }

    gce_persistent_disk_csi_driver_config {
      enabled = true
    }

    gcs_fuse_csi_driver_config {
      enabled = var.features.gcs_fuse
    }

    ray_operator_config {
      enabled = var.features.ray_operator

      dynamic "ray_cluster_logging_config" {
        for_each = var.features.ray_operator ? [var.features.ray_logging] : []

        content {
          enabled = ray_cluster_logging_config.value
        }
      }

      dynamic "ray_cluster_monitoring_config" {
        for_each = var.features.ray_operator ? [var.features.ray_monitoring] : []

        content {
          enabled = ray_cluster_monitoring_config.value
        }
      }
    }
  }

  # No node auto-provisioning: each node pool is said. The profile is of all of them.
  cluster_autoscaling {
    enabled             = false
    autoscaling_profile = var.autoscaling_profile
  }

  node_pool_defaults {
    node_config_defaults {
      insecure_kubelet_readonly_port_enabled = "FALSE"

      gcfs_config {
        enabled = var.features.image_streaming
      }
    }
  }

  logging_config {
    enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS"]
  }

  monitoring_config {
    enable_components = [
      "SYSTEM_COMPONENTS", "STORAGE", "HPA", "POD", "DAEMONSET", "DEPLOYMENT",
      "STATEFULSET", "CADVISOR", "KUBELET", "DCGM",
    ]

    managed_prometheus {
      enabled = var.features.managed_prometheus
    }
  }

  security_posture_config {
    mode               = var.features.security_posture ? "BASIC" : "DISABLED"
    vulnerability_mode = var.features.vulnerability_scanning ? "VULNERABILITY_BASIC" : "VULNERABILITY_DISABLED"
  }

  cost_management_config {
    enabled = var.features.cost_allocation
  }

  binary_authorization {
    evaluation_mode = var.features.binary_authorization ? "PROJECT_SINGLETON_POLICY_ENFORCE" : "DISABLED"
  }

  maintenance_policy {
    recurring_window {
      start_time = var.maintenance.start_time
      end_time   = var.maintenance.end_time
      recurrence = var.maintenance.recurrence
    }

    dynamic "maintenance_exclusion" {
      for_each = var.maintenance.exclusions

      content {
        exclusion_name = maintenance_exclusion.key
        start_time     = maintenance_exclusion.value.start_time
        end_time       = maintenance_exclusion.value.end_time

        exclusion_options {
          scope = maintenance_exclusion.value.scope
        }
      }
    }
  }

  # Nodes that begin before their account may write logs, or get no images, stay so.
  depends_on = [google_project_iam_member.nodes]

  lifecycle {
    # Both are of the pool that is gone; to change them would replace the cluster.
    ignore_changes = [node_config, initial_node_count]

    precondition {
      condition     = alltrue([for zone in var.zones : startswith(zone, "${local._region}-")])
      error_message = "zones must be in the region ${local._region}."
    }
    precondition {
      condition     = local._regional || length(var.zones) == 0 || contains(var.zones, var.location)
      error_message = "zones of a zonal cluster must contain its own, ${var.location}."
    }
    precondition {
      condition     = !var.features.ray_operator || !var.features.ray_monitoring || var.features.managed_prometheus
      error_message = "features.ray_monitoring needs managed_prometheus."
    }
  }
}

resource "google_container_node_pool" "system" {
  project  = var.project_id
  cluster  = google_container_cluster.this.name
  location = google_container_cluster.this.location
  name     = "system"

  node_count = var.system_pool.nodes_per_zone

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  upgrade_settings {
    strategy        = "SURGE"
    max_surge       = 1
    max_unavailable = 0
  }

  node_config {
    machine_type    = var.system_pool.machine_type
    image_type      = "COS_CONTAINERD"
    disk_size_gb    = var.system_pool.boot_disk_gib
    disk_type       = var.system_pool.boot_disk_type
    service_account = local.node_service_account
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    resource_labels = var.labels
    metadata        = { disable-legacy-endpoints = "true" }

    taint {
      key    = "components.gke.io/gke-managed-components"
      value  = "true"
      effect = "NO_SCHEDULE"
    }

    gcfs_config {
      enabled = var.features.image_streaming
    }

    gvnic {
      enabled = true
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    kubelet_config {
      insecure_kubelet_readonly_port_enabled = "FALSE"
    }
  }
}
