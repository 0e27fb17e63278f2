# Every check of the module, tripped once.
mock_provider "google" {}

variables {
  project_id  = "my-project-1"
  cluster     = { name = "ray", location = "europe-west4" }
  name        = "pool"
  zones       = ["europe-west4-a"]
  machine     = { type = "a2-highgpu-1g" }
  gpu         = { accelerator = "nvidia-tesla-a100" }
  autoscaling = { total_max_node_count = 4 }
  nodes       = { service_account = "nodes@my-project-1.iam.gserviceaccount.com" }
}

run "project_number" {
  command = plan

  variables {
    project_id = "123456789012"
  }

  expect_failures = [var.project_id]
}

run "cluster_location" {
  command = plan

  variables {
    cluster = { name = "ray", location = "europe" }
  }

  expect_failures = [var.cluster]
}

run "cluster_version" {
  command = plan

  variables {
    cluster = { name = "ray", location = "europe-west4", version = "latest" }
  }

  expect_failures = [var.cluster]
}

run "name_too_long" {
  command = plan

  variables {
    name = "a2345678901234567890123456789012345678901"
  }

  expect_failures = [var.name]
}

run "name_with_capitals" {
  command = plan

  variables {
    name = "Pool"
  }

  expect_failures = [var.name]
}

run "zone_twice" {
  command = plan

  variables {
    zones = ["europe-west4-a", "europe-west4-a"]
  }

  expect_failures = [var.zones]
}

run "zone_that_is_a_region" {
  command = plan

  variables {
    zones = ["europe-west4"]
  }

  expect_failures = [var.zones]
}

run "zone_of_another_region" {
  command = plan

  variables {
    zones = ["europe-west1-b"]
  }

  expect_failures = [google_container_node_pool.this]
}

run "image_type" {
  command = plan

  variables {
    machine = { type = "a2-highgpu-1g", image_type = "WINDOWS_LTSC_CONTAINERD" }
  }

  expect_failures = [var.machine]
}

run "boot_disk_too_small" {
  command = plan

  variables {
    machine = { type = "a2-highgpu-1g", boot_disk_gib = 5 }
  }

  expect_failures = [var.machine]
}

run "boot_disk_type" {
  command = plan

  variables {
    machine = { type = "a2-highgpu-1g", boot_disk_type = "ssd" }
  }

  expect_failures = [var.machine]
}

run "persistent_disk_of_a_g4" {
  command = plan

  variables {
    machine = { type = "g4-standard-48", boot_disk_type = "pd-ssd" }
    gpu     = { accelerator = "nvidia-rtx-pro-6000" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "no_local_ssds" {
  command = plan

  variables {
    machine = { type = "a2-highgpu-1g", ephemeral_local_ssds = 0 }
  }

  expect_failures = [var.machine]
}

run "driver_version" {
  command = plan

  variables {
    gpu = { accelerator = "nvidia-tesla-a100", driver_version = "NONSENSE" }
  }

  expect_failures = [var.gpu]
}

run "sharing_strategy_as_on_the_node" {
  command = plan

  variables {
    gpu = {
      accelerator = "nvidia-tesla-a100"
      sharing     = { strategy = "time-sharing", max_shared_clients_per_gpu = 4 }
    }
  }

  expect_failures = [var.gpu]
}

run "one_client_is_no_sharing" {
  command = plan

  variables {
    gpu = {
      accelerator = "nvidia-tesla-a100"
      sharing     = { strategy = "MPS", max_shared_clients_per_gpu = 1 }
    }
  }

  expect_failures = [var.gpu]
}

run "too_many_clients" {
  command = plan

  variables {
    gpu = {
      accelerator = "nvidia-tesla-a100"
      sharing     = { strategy = "TIME_SHARING", max_shared_clients_per_gpu = 49 }
    }
  }

  expect_failures = [var.gpu]
}

run "half_a_client" {
  command = plan

  variables {
    gpu = {
      accelerator = "nvidia-tesla-a100"
      sharing     = { strategy = "TIME_SHARING", max_shared_clients_per_gpu = 2.5 }
    }
  }

  expect_failures = [var.gpu]
}

run "accelerator_by_its_model" {
  command = plan

  variables {
    gpu = { accelerator = "nvidia-a100-40gb" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "accelerator_of_another_machine" {
  command = plan

  variables {
    gpu = { accelerator = "nvidia-l4" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "accelerator_on_a_machine_without" {
  command = plan

  variables {
    machine = { type = "e2-standard-4" }
    gpu     = { accelerator = "nvidia-tesla-t4" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "machine_with_gpus_and_no_gpu" {
  command = plan

  variables {
    gpu = null
  }

  expect_failures = [google_container_node_pool.this]
}

run "count_of_another_machine" {
  command = plan

  variables {
    gpu = { accelerator = "nvidia-tesla-a100", count = 2 }
  }

  expect_failures = [google_container_node_pool.this]
}

run "count_that_n1_does_not_have" {
  command = plan

  variables {
    machine = { type = "n1-standard-8" }
    gpu     = { accelerator = "nvidia-tesla-t4", count = 3 }
  }

  expect_failures = [google_container_node_pool.this]
}

run "more_vcpus_than_the_count_allows" {
  command = plan

  variables {
    machine = { type = "n1-standard-64" }
    gpu     = { accelerator = "nvidia-tesla-t4", count = 1 }
  }

  expect_failures = [google_container_node_pool.this]
}

run "partition_of_another_a100" {
  command = plan

  variables {
    gpu = { accelerator = "nvidia-tesla-a100", partition_size = "1g.10gb" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "partition_that_the_plugin_lacks" {
  command = plan

  variables {
    gpu = { accelerator = "nvidia-tesla-a100", partition_size = "4g.20gb" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "partition_of_an_l4" {
  command = plan

  variables {
    machine = { type = "g2-standard-8" }
    gpu     = { accelerator = "nvidia-l4", partition_size = "1g.5gb" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "partition_of_a_t4" {
  command = plan

  variables {
    machine = { type = "n1-standard-8" }
    gpu     = { accelerator = "nvidia-tesla-t4", partition_size = "1g.5gb" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "partition_of_a_fraction" {
  command = plan

  variables {
    machine = { type = "g4-standard-12" }
    gpu     = { accelerator = "nvidia-rtx-pro-6000", partition_size = "1g.24gb" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "sharing_of_a_fraction" {
  command = plan

  variables {
    machine = { type = "g4-standard-12" }
    gpu = {
      accelerator = "nvidia-rtx-pro-6000"
      sharing     = { strategy = "TIME_SHARING", max_shared_clients_per_gpu = 2 }
    }
  }

  expect_failures = [google_container_node_pool.this]
}

run "small_h100_on_demand" {
  command = plan

  variables {
    machine = { type = "a3-highgpu-1g" }
    gpu     = { accelerator = "nvidia-h100-80gb" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "h200_on_demand" {
  command = plan

  variables {
    machine = { type = "a3-ultragpu-8g" }
    gpu     = { accelerator = "nvidia-h200-141gb", count = 8 }
  }

  expect_failures = [google_container_node_pool.this]
}

run "provisioning_mode" {
  command = plan

  variables {
    provisioning = { mode = "preemptible" }
  }

  expect_failures = [var.provisioning]
}

run "spot_with_a_reservation" {
  command = plan

  variables {
    provisioning = { mode = "spot", reservation = "mine" }
  }

  expect_failures = [var.provisioning]
}

run "flex_start_with_a_reservation" {
  command = plan

  variables {
    provisioning = { mode = "flex-start", reservation = "mine" }
  }

  expect_failures = [var.provisioning]
}

run "reservation_without_a_name" {
  command = plan

  variables {
    provisioning = { mode = "reservation" }
  }

  expect_failures = [var.provisioning]
}

run "reservation_that_is_no_name" {
  command = plan

  variables {
    provisioning = { mode = "reservation", reservation = "zones/a/mine" }
  }

  expect_failures = [var.provisioning]
}

run "queued_spot" {
  command = plan

  variables {
    provisioning = { mode = "spot", queued = true }
  }

  expect_failures = [var.provisioning]
}

run "run_duration_of_standard_nodes" {
  command = plan

  variables {
    provisioning = { max_run_duration = "3600s" }
  }

  expect_failures = [var.provisioning]
}

run "run_duration_over_a_week" {
  command = plan

  variables {
    provisioning = { mode = "flex-start", max_run_duration = "604801s" }
  }

  expect_failures = [var.provisioning]
}

run "run_duration_in_hours" {
  command = plan

  variables {
    provisioning = { mode = "flex-start", max_run_duration = "1h" }
  }

  expect_failures = [var.provisioning]
}

run "graceful_shutdown_on_demand" {
  command = plan

  variables {
    provisioning = { graceful_shutdown = { seconds = 60 } }
  }

  expect_failures = [var.provisioning]
}

run "graceful_shutdown_too_long" {
  command = plan

  variables {
    provisioning = { mode = "spot", graceful_shutdown = { seconds = 121 } }
  }

  expect_failures = [var.provisioning]
}

run "graceful_shutdown_for_the_system_only" {
  command = plan

  variables {
    provisioning = { mode = "spot", graceful_shutdown = { seconds = 30, critical_pods_seconds = 30 } }
  }

  expect_failures = [var.provisioning]
}

run "graceful_shutdown_on_an_old_cluster" {
  command = plan

  variables {
    cluster      = { name = "ray", location = "europe-west4", version = "1.35.0-gke.1000000" }
    provisioning = { mode = "spot", graceful_shutdown = { seconds = 60 } }
  }

  expect_failures = [google_container_node_pool.this]
}

run "g4_on_an_old_cluster" {
  command = plan

  variables {
    cluster = { name = "ray", location = "europe-west4", version = "1.33" }
    machine = { type = "g4-standard-48" }
    gpu     = { accelerator = "nvidia-rtx-pro-6000" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "no_nodes_at_all" {
  command = plan

  variables {
    autoscaling = { total_max_node_count = 0 }
  }

  expect_failures = [var.autoscaling]
}

run "more_at_least_than_at_most" {
  command = plan

  variables {
    autoscaling = { total_min_node_count = 5, total_max_node_count = 4 }
  }

  expect_failures = [var.autoscaling]
}

run "half_a_node" {
  command = plan

  variables {
    autoscaling = { total_max_node_count = 1.5 }
  }

  expect_failures = [var.autoscaling]
}

run "more_at_first_than_at_most" {
  command = plan

  variables {
    autoscaling = { total_max_node_count = 4, initial_node_count = 5 }
  }

  expect_failures = [var.autoscaling]
}

run "more_at_first_in_all_zones_than_at_most" {
  command = plan

  variables {
    zones       = ["europe-west4-a", "europe-west4-b"]
    autoscaling = { total_max_node_count = 3, initial_node_count = 2 }
  }

  expect_failures = [google_container_node_pool.this]
}

run "location_policy" {
  command = plan

  variables {
    autoscaling = { total_max_node_count = 4, location_policy = "SPREAD" }
  }

  expect_failures = [var.autoscaling]
}

run "any_location_with_initial_nodes" {
  command = plan

  variables {
    autoscaling = { total_max_node_count = 4, initial_node_count = 1, location_policy = "ANY" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "flex_start_that_keeps_a_node" {
  command = plan

  variables {
    provisioning = { mode = "flex-start" }
    autoscaling  = { total_max_node_count = 4, total_min_node_count = 1 }
  }

  expect_failures = [google_container_node_pool.this]
}

run "queued_that_keeps_a_node" {
  command = plan

  variables {
    provisioning = { queued = true }
    autoscaling  = { total_max_node_count = 4, total_min_node_count = 1 }
  }

  expect_failures = [google_container_node_pool.this]
}

run "balanced_flex_start" {
  command = plan

  variables {
    provisioning = { mode = "flex-start" }
    autoscaling  = { total_max_node_count = 4, location_policy = "BALANCED" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "placement_type" {
  command = plan

  variables {
    placement = { type = "SPREAD" }
  }

  expect_failures = [var.placement]
}

run "compact_in_two_zones" {
  command = plan

  variables {
    placement = { type = "COMPACT" }
    zones     = ["europe-west4-a", "europe-west4-b"]
  }

  expect_failures = [google_container_node_pool.this]
}

run "compact_in_zones_that_gke_chooses" {
  command = plan

  variables {
    placement = { type = "COMPACT" }
    zones     = []
  }

  expect_failures = [google_container_node_pool.this]
}

run "compact_and_blue_green" {
  command = plan

  variables {
    placement = { type = "COMPACT" }
    upgrades  = { strategy = "BLUE_GREEN" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "default_service_account" {
  command = plan

  variables {
    nodes = { service_account = "123456-compute@developer.gserviceaccount.com" }
  }

  expect_failures = [var.nodes]
}

run "scopes_without_storage" {
  command = plan

  variables {
    nodes = {
      service_account = "nodes@my-project-1.iam.gserviceaccount.com"
      oauth_scopes    = ["https://www.googleapis.com/auth/logging.write"]
    }
  }

  expect_failures = [var.nodes]
}

run "label_of_gke" {
  command = plan

  variables {
    nodes = {
      service_account = "nodes@my-project-1.iam.gserviceaccount.com"
      labels          = { "cloud.google.com/gke-accelerator" = "nvidia-l4" }
    }
  }

  expect_failures = [var.nodes]
}

run "label_of_kubernetes" {
  command = plan

  variables {
    nodes = {
      service_account = "nodes@my-project-1.iam.gserviceaccount.com"
      labels          = { "node-role.kubernetes.io/gpu" = "true" }
    }
  }

  expect_failures = [var.nodes]
}

run "label_that_kubernetes_refuses" {
  command = plan

  variables {
    nodes = {
      service_account = "nodes@my-project-1.iam.gserviceaccount.com"
      labels          = { team = "no spaces" }
    }
  }

  expect_failures = [var.nodes]
}

run "taint_as_kubernetes_spells_it" {
  command = plan

  variables {
    nodes = {
      service_account = "nodes@my-project-1.iam.gserviceaccount.com"
      taints          = [{ key = "team", value = "vision", effect = "NoSchedule" }]
    }
  }

  expect_failures = [var.nodes]
}

run "taint_that_the_pool_declares" {
  command = plan

  variables {
    nodes = {
      service_account = "nodes@my-project-1.iam.gserviceaccount.com"
      taints          = [{ key = "nvidia.com/gpu", value = "present" }]
    }
  }

  expect_failures = [var.nodes]
}

run "secondary_boot_disk_without_streaming" {
  command = plan

  variables {
    nodes = {
      service_account      = "nodes@my-project-1.iam.gserviceaccount.com"
      secondary_boot_disks = ["global/images/ray"]
      image_streaming      = false
    }
  }

  expect_failures = [var.nodes]
}

run "secondary_boot_disk_that_is_no_image" {
  command = plan

  variables {
    nodes = {
      service_account      = "nodes@my-project-1.iam.gserviceaccount.com"
      secondary_boot_disks = ["rayproject/ray:2.60.0"]
    }
  }

  expect_failures = [var.nodes]
}

run "secondary_boot_disk_on_an_old_cluster" {
  command = plan

  variables {
    cluster = { name = "ray", location = "europe-west4", version = "1.27" }
    nodes = {
      service_account      = "nodes@my-project-1.iam.gserviceaccount.com"
      secondary_boot_disks = ["global/images/ray"]
    }
  }

  expect_failures = [google_container_node_pool.this]
}

run "too_many_pods_per_node" {
  command = plan

  variables {
    nodes = {
      service_account   = "nodes@my-project-1.iam.gserviceaccount.com"
      max_pods_per_node = 300
    }
  }

  expect_failures = [var.nodes]
}

run "streaming_to_ubuntu" {
  command = plan

  variables {
    machine = { type = "a2-highgpu-1g", image_type = "UBUNTU_CONTAINERD" }
  }

  expect_failures = [google_container_node_pool.this]
}

run "latest_driver_on_ubuntu" {
  command = plan

  variables {
    machine = { type = "a2-highgpu-1g", image_type = "UBUNTU_CONTAINERD" }
    gpu     = { accelerator = "nvidia-tesla-a100", driver_version = "LATEST" }
    nodes = {
      service_account = "nodes@my-project-1.iam.gserviceaccount.com"
      image_streaming = false
    }
  }

  expect_failures = [google_container_node_pool.this]
}

run "upgrade_strategy" {
  command = plan

  variables {
    upgrades = { strategy = "ROLLING" }
  }

  expect_failures = [var.upgrades]
}

run "surge_of_blue_green" {
  command = plan

  variables {
    upgrades = { strategy = "BLUE_GREEN", max_surge = 1 }
  }

  expect_failures = [var.upgrades]
}

run "upgrades_that_cannot_go_on" {
  command = plan

  variables {
    upgrades = { max_surge = 0, max_unavailable = 0 }
  }

  expect_failures = [google_container_node_pool.this]
}

run "upgrades_of_gpus_that_cannot_go_on" {
  command = plan

  variables {
    upgrades = { max_unavailable = 0 }
  }

  expect_failures = [google_container_node_pool.this]
}

run "less_surge_than_none" {
  command = plan

  variables {
    upgrades = { max_surge = -1 }
  }

  expect_failures = [var.upgrades]
}

run "half_a_node_unavailable" {
  command = plan

  variables {
    upgrades = { max_unavailable = 0.5 }
  }

  expect_failures = [var.upgrades]
}
