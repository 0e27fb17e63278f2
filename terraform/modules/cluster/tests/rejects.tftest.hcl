# Every check of the module, tripped once.
mock_provider "google" {}

variables {
  project_id          = "my-project-1"
  name                = "ray"
  location            = "europe-west4"
  deletion_protection = false
  network = {
    network             = "ray"
    subnetwork          = "ray"
    pods_range_name     = "pods"
    services_range_name = "services"
  }
}

run "project_number" {
  command = plan

  variables {
    project_id = "123456789012"
  }

  expect_failures = [var.project_id]
}

run "name_too_long" {
  command = plan

  variables {
    name = "a2345678901234567890123456789012345678901"
  }

  expect_failures = [var.name]
}

run "location" {
  command = plan

  variables {
    location = "europe"
  }

  expect_failures = [var.location]
}

run "zone_twice" {
  command = plan

  variables {
    zones = ["europe-west4-a", "europe-west4-a"]
  }

  expect_failures = [var.zones]
}

run "zone_of_another_region" {
  command = plan

  variables {
    zones = ["europe-west1-b"]
  }

  expect_failures = [google_container_cluster.this]
}

run "zonal_elsewhere" {
  command = plan

  variables {
    location = "europe-west4-a"
    zones    = ["europe-west4-b"]
  }

  expect_failures = [google_container_cluster.this]
}

run "too_many_pods_per_node" {
  command = plan

  variables {
    network = {
      network             = "ray"
      subnetwork          = "ray"
      pods_range_name     = "pods"
      services_range_name = "services"
      max_pods_per_node   = 300
    }
  }

  expect_failures = [var.network]
}

run "release_channel" {
  command = plan

  variables {
    release = { channel = "UNSPECIFIED" }
  }

  expect_failures = [var.release]
}

run "version" {
  command = plan

  variables {
    release = { version = "latest" }
  }

  expect_failures = [var.release]
}

run "authorized_network_that_is_no_range" {
  command = plan

  variables {
    control_plane = { ip_endpoint = { authorized_networks = { office = "office" } } }
  }

  expect_failures = [var.control_plane]
}

run "whole_internet" {
  command = plan

  variables {
    control_plane = { ip_endpoint = { private = false, authorized_networks = { all = "0.0.0.0/0" } } }
  }

  expect_failures = [var.control_plane]
}

run "security_group" {
  command = plan

  variables {
    control_plane = { rbac_security_group = "admins@example.com" }
  }

  expect_failures = [var.control_plane]
}

run "encryption_key_by_its_name" {
  command = plan

  variables {
    control_plane = { database_encryption_key = "my-key" }
  }

  expect_failures = [var.control_plane]
}

run "default_service_account" {
  command = plan

  variables {
    node_service_account = "123456-compute@developer.gserviceaccount.com"
  }

  expect_failures = [var.node_service_account]
}

run "ray_monitoring_without_prometheus" {
  command = plan

  variables {
    features = { ray_operator = true, managed_prometheus = false }
  }

  expect_failures = [google_container_cluster.this]
}

run "autoscaling_profile" {
  command = plan

  variables {
    autoscaling_profile = "FAST"
  }

  expect_failures = [var.autoscaling_profile]
}

run "window_that_ends_before_it_begins" {
  command = plan

  variables {
    maintenance = { start_time = "2026-01-03T07:00:00Z", end_time = "2026-01-03T01:00:00Z" }
  }

  expect_failures = [var.maintenance]
}

run "window_without_a_date" {
  command = plan

  variables {
    maintenance = { start_time = "01:00" }
  }

  expect_failures = [var.maintenance]
}

run "window_of_an_hour" {
  command = plan

  variables {
    maintenance = { start_time = "2026-01-03T01:00:00Z", end_time = "2026-01-03T02:00:00Z" }
  }

  expect_failures = [var.maintenance]
}

run "recurrence_that_is_no_rule" {
  command = plan

  variables {
    maintenance = { recurrence = "banana" }
  }

  expect_failures = [var.maintenance]
}

run "recurrence_by_the_hour" {
  command = plan

  variables {
    maintenance = { recurrence = "FREQ=HOURLY" }
  }

  expect_failures = [var.maintenance]
}

run "exclusion_scope" {
  command = plan

  variables {
    maintenance = {
      exclusions = {
        sale = { start_time = "2026-11-20T00:00:00Z", end_time = "2026-11-30T00:00:00Z", scope = "NONE" }
      }
    }
  }

  expect_failures = [var.maintenance]
}

run "too_many_exclusions" {
  command = plan

  variables {
    maintenance = {
      exclusions = {
        for number in range(21) : "exclusion-${number}" => {
          start_time = "2026-11-20T00:00:00Z", end_time = "2026-11-30T00:00:00Z"
        }
      }
    }
  }

  expect_failures = [var.maintenance]
}

run "no_system_nodes" {
  command = plan

  variables {
    system_pool = { nodes_per_zone = 0 }
  }

  expect_failures = [var.system_pool]
}

run "system_pool_of_gpus" {
  command = plan

  variables {
    system_pool = { machine_type = "g2-standard-4" }
  }

  expect_failures = [var.system_pool]
}

run "labels_with_capitals" {
  command = plan

  variables {
    labels = { Team = "vision" }
  }

  expect_failures = [var.labels]
}
