# What is made, and what is asked of a network that is there.
mock_provider "google" {
  mock_data "google_compute_subnetwork" {
    defaults = {
      id                       = "projects/host-project/regions/europe-west4/subnetworks/shared"
      private_ip_google_access = false
      secondary_ip_range = [
        { range_name = "pods", ip_cidr_range = "10.4.0.0/14" },
        { range_name = "services", ip_cidr_range = "10.8.0.0/20" },
      ]
    }
  }
}

variables {
  project_id = "my-project-1"
  region     = "europe-west4"
}

run "nodes_stream_images_and_get_out" {
  command = plan

  assert {
    condition     = google_compute_subnetwork.this[0].private_ip_google_access
    error_message = "Nodes without addresses reach Google by Private Google Access."
  }
  assert {
    condition     = google_compute_router_nat.this[0].enable_dynamic_port_allocation && google_compute_router_nat.this[0].log_config[0].filter == "ERRORS_ONLY"
    error_message = "NAT gives ports by need, and says when there are none."
  }
  assert {
    condition     = { for range in google_compute_subnetwork.this[0].secondary_ip_range : range.range_name => range.ip_cidr_range } == { pods = "10.4.0.0/14", services = "10.8.0.0/20" }
    error_message = "Pods and services have their ranges."
  }
}

run "ranges_side_by_side_do_not_overlap" {
  command = plan

  variables {
    ranges = { nodes = "10.0.0.0/24", pods = "10.0.1.0/24", services = "10.0.2.0/24" }
  }

  assert {
    condition     = google_compute_subnetwork.this[0].ip_cidr_range == "10.0.0.0/24"
    error_message = "Neighbours are no overlap."
  }
}

run "no_way_out_where_there_is_one" {
  command = plan

  variables {
    nat = { enabled = false }
  }

  assert {
    condition     = length(google_compute_router.this) == 0 && length(google_compute_router_nat.this) == 0
    error_message = "No router without NAT."
  }
}

run "an_existing_network_must_reach_google" {
  command = plan

  variables {
    existing = {
      network             = "shared"
      subnetwork          = "shared"
      pods_range_name     = "pods"
      services_range_name = "services"
      network_project_id  = "host-project"
    }
  }

  expect_failures = [data.google_compute_subnetwork.existing]
}

run "an_existing_network_is_left_alone" {
  command = plan

  variables {
    existing = {
      network             = "shared"
      subnetwork          = "shared"
      pods_range_name     = "pods"
      services_range_name = "services"
      network_project_id  = "host-project"
    }
  }

  override_data {
    target = data.google_compute_subnetwork.existing[0]
    values = {
      private_ip_google_access = true
      secondary_ip_range = [
        { range_name = "pods", ip_cidr_range = "10.4.0.0/14" },
        { range_name = "services", ip_cidr_range = "10.8.0.0/20" },
      ]
    }
  }

  assert {
    condition = (
      length(google_compute_network.this) == 0 &&
      output.network.network == "projects/host-project/global/networks/shared" &&
      output.network.pods_range_name == "pods"
    )
    error_message = "Nothing is made beside a network that is there."
  }
}
