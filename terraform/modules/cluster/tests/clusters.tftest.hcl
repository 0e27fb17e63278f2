# What a cluster is unless told otherwise, and what the options do.
mock_provider "google" {}

variables {
  project_id          = "my-project-1"
  name                = "ray"
  location            = "europe-west4"
  deletion_protection = true
  network = {
    network             = "ray"
    subnetwork          = "ray"
    pods_range_name     = "pods"
    services_range_name = "services"
  }
}

run "nobody_reaches_it_but_by_its_name" {
  command = plan

  assert {
    condition = (
      google_container_cluster.this.control_plane_endpoints_config[0].dns_endpoint_config[0].allow_external_traffic &&
      !google_container_cluster.this.control_plane_endpoints_config[0].ip_endpoints_config[0].enabled &&
      length(google_container_cluster.this.master_authorized_networks_config) == 0
    )
    error_message = "The control plane has a DNS name and no addresses by default."
  }
  assert {
    condition     = google_container_cluster.this.private_cluster_config[0].enable_private_nodes
    error_message = "Nodes have no public addresses."
  }
  assert {
    condition     = output.ip_endpoint == null
    error_message = "There is no IP endpoint to connect to."
  }
}

run "the_defaults_are_secure" {
  command = plan

  assert {
    condition = (
      google_container_cluster.this.datapath_provider == "ADVANCED_DATAPATH" &&
      google_container_cluster.this.workload_identity_config[0].workload_pool == "my-project-1.svc.id.goog" &&
      google_container_cluster.this.enable_shielded_nodes &&
      google_container_cluster.this.node_pool_defaults[0].node_config_defaults[0].insecure_kubelet_readonly_port_enabled == "FALSE" &&
      google_container_cluster.this.deletion_protection
    )
    error_message = "Dataplane V2, Workload Identity, shielded nodes, no read-only port, and the deletion protection that was said."
  }
  assert {
    condition     = toset(values(google_project_iam_member.nodes)[*].role) == toset(["roles/container.defaultNodeServiceAccount", "roles/serviceusage.serviceUsageConsumer"])
    error_message = "The nodes' account has what nodes and image streaming need, and no more."
  }
  assert {
    condition     = google_service_account.nodes[0].account_id == "ray-nodes"
    error_message = "The nodes' account is named after the cluster."
  }
}

run "no_ray_operator_unless_asked" {
  command = plan

  assert {
    condition = (
      !google_container_cluster.this.addons_config[0].ray_operator_config[0].enabled &&
      length(google_container_cluster.this.addons_config[0].ray_operator_config[0].ray_cluster_logging_config) == 0
    )
    error_message = "Google's KubeRay is an option: its version is Google's."
  }
}

run "ray_operator_with_logs_and_metrics" {
  command = plan

  variables {
    features = { ray_operator = true }
  }

  assert {
    condition = (
      google_container_cluster.this.addons_config[0].ray_operator_config[0].enabled &&
      google_container_cluster.this.addons_config[0].ray_operator_config[0].ray_cluster_logging_config[0].enabled &&
      google_container_cluster.this.addons_config[0].ray_operator_config[0].ray_cluster_monitoring_config[0].enabled
    )
    error_message = "The add-on brings logs and metrics of Ray clusters."
  }
}

run "system_nodes_are_for_the_system" {
  command = plan

  assert {
    condition = (
      google_container_node_pool.system.node_count == 1 &&
      google_container_node_pool.system.node_config[0].taint[0].key == "components.gke.io/gke-managed-components" &&
      length(google_container_node_pool.system.node_config[0].guest_accelerator) == 0
    )
    error_message = "One node in each zone, tainted, without GPUs."
  }
  assert {
    condition     = google_container_cluster.this.remove_default_node_pool
    error_message = "GKE's own first pool goes."
  }
}

run "a_zonal_cluster_names_only_further_zones" {
  command = plan

  variables {
    location = "europe-west4-a"
    zones    = ["europe-west4-a", "europe-west4-b"]
  }

  assert {
    condition     = google_container_cluster.this.node_locations == toset(["europe-west4-b"])
    error_message = "GKE takes only zones beside the cluster's own."
  }
}

run "an_address_for_an_office" {
  command = plan

  variables {
    control_plane = {
      ip_endpoint = { private = false, authorized_networks = { office = "198.51.100.0/24" } }
    }
  }

  assert {
    condition = (
      google_container_cluster.this.control_plane_endpoints_config[0].ip_endpoints_config[0].enabled &&
      !google_container_cluster.this.private_cluster_config[0].enable_private_endpoint &&
      one(google_container_cluster.this.master_authorized_networks_config[0].cidr_blocks).cidr_block == "198.51.100.0/24"
    )
    error_message = "A public address takes only those it was given."
  }
}


run "names_of_forty_characters_give_accounts_of_thirty" {
  command = plan

  variables {
    name = "a-cluster-with-quite-a-long-name-of-fort"
  }

  assert {
    condition = (
      length(google_service_account.nodes[0].account_id) <= 30 &&
      can(regex("^a-cluster-with-qu-[0-9a-f]{6}-nodes$", google_service_account.nodes[0].account_id))
    )
    error_message = "The account's name is cut and told apart by a digest."
  }
}

run "an_account_of_ones_own" {
  command = plan

  variables {
    node_service_account = "mine@my-project-1.iam.gserviceaccount.com"
  }

  assert {
    condition     = length(google_service_account.nodes) == 0 && length(google_project_iam_member.nodes) == 0
    error_message = "Nothing is made, and nothing granted, where an account is given."
  }
  assert {
    condition     = google_container_node_pool.system.node_config[0].service_account == "mine@my-project-1.iam.gserviceaccount.com"
    error_message = "The system pool runs as the account that was given."
  }
}
