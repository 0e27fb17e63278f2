# What the pool says of itself, and what follows from other settings. The arguments of
# each kind of GPU are goldens in tests/goldens_terraform.
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

run "slices_are_what_pods_ask_for" {
  command = plan

  variables {
    gpu = { accelerator = "nvidia-tesla-a100", partition_size = "1g.5gb" }
  }

  assert {
    condition     = output.gpus_per_node == 7
    error_message = "An A100 has seven instances of 1g.5gb."
  }
  assert {
    condition     = output.node_selector["cloud.google.com/gke-gpu-partition-size"] == "1g.5gb"
    error_message = "Pods select their partition by the label of its size."
  }
}

run "shares_of_slices_multiply" {
  command = plan

  variables {
    gpu = {
      accelerator    = "nvidia-tesla-a100"
      partition_size = "1g.5gb"
      sharing        = { strategy = "TIME_SHARING", max_shared_clients_per_gpu = 3 }
    }
  }

  assert {
    condition     = output.gpus_per_node == 21
    error_message = "Three pods have each of seven partitions."
  }
  assert {
    condition     = output.node_selector["cloud.google.com/gke-gpu-sharing-strategy"] == "time-sharing"
    error_message = "On the node the strategy is written in small letters with a hyphen."
  }
  assert {
    condition     = output.node_selector["cloud.google.com/gke-max-shared-clients-per-gpu"] == "3"
    error_message = "On the node the number is a text."
  }
}

run "two_gpus_of_two_slices" {
  command = plan

  variables {
    machine = { type = "a2-highgpu-2g" }
    gpu     = { accelerator = "nvidia-tesla-a100", count = 2, partition_size = "3g.20gb" }
  }

  assert {
    condition     = output.gpus_per_node == 4
    error_message = "Both GPUs are divided."
  }
}

run "spot_is_selected_and_tolerated" {
  command = plan

  variables {
    provisioning = { mode = "spot" }
  }

  assert {
    condition     = output.node_selector["cloud.google.com/gke-spot"] == "true"
    error_message = "Pods select Spot nodes by their label."
  }
  assert {
    condition = toset(output.tolerations[*].key) == toset([
      "nvidia.com/gpu", "cloud.google.com/gke-spot",
    ]) && alltrue([for one in output.tolerations : one.effect == "NoSchedule"])
    error_message = "Both taints of a Spot pool with GPUs must be tolerated, as Kubernetes spells it."
  }
}

run "pools_without_gpus_have_no_taint" {
  command = plan

  variables {
    machine = { type = "e2-standard-8" }
    gpu     = null
  }

  assert {
    condition     = output.gpus_per_node == 0 && length(output.tolerations) == 0
    error_message = "Anything may run on a pool without GPUs."
  }
  assert {
    condition     = google_container_node_pool.this.upgrade_settings[0].max_surge == 1
    error_message = "Nodes without GPUs are replaced after the new one is there."
  }
}

run "gpus_are_upgraded_without_further_gpus" {
  command = plan

  assert {
    condition = (
      google_container_node_pool.this.upgrade_settings[0].max_surge == 0 &&
      google_container_node_pool.this.upgrade_settings[0].max_unavailable == 1
    )
    error_message = "A surge node would need GPUs that a quota does not have."
  }
}

run "a_compute_class_is_tainted" {
  command = plan

  variables {
    nodes = {
      service_account = "nodes@my-project-1.iam.gserviceaccount.com"
      labels          = { "cloud.google.com/compute-class" = "vision" }
    }
  }

  assert {
    condition = contains([
      for taint in google_container_node_pool.this.node_config[0].taint : "${taint.key}=${taint.value}"
    ], "cloud.google.com/compute-class=vision")
    error_message = "A pool of a compute class needs the label and the taint."
  }
}

run "minimal_versions_are_enough" {
  command = plan

  variables {
    cluster      = { name = "ray", location = "europe-west4", version = "1.35.0-gke.1171000" }
    provisioning = { mode = "spot", graceful_shutdown = { seconds = 120 } }
  }

  assert {
    condition = (
      google_container_node_pool.this.node_config[0].kubelet_config[0].shutdown_grace_period_seconds == 120 &&
      google_container_node_pool.this.node_config[0].kubelet_config[0].shutdown_grace_period_critical_pods_seconds == 15
    )
    error_message = "GKE 1.35.0-gke.1171000 gives pods up to two minutes."
  }
}

run "a_version_without_a_patch_may_be_new_enough" {
  command = plan

  variables {
    cluster      = { name = "ray", location = "europe-west4", version = "1.35" }
    provisioning = { mode = "spot", graceful_shutdown = { seconds = 60 } }
  }

  assert {
    condition     = google_container_node_pool.this.node_config[0].spot
    error_message = "1.35 is some version of 1.35."
  }
}

run "machines_without_persistent_disks_get_others" {
  command = plan

  variables {
    machine = { type = "g4-standard-48" }
    gpu     = { accelerator = "nvidia-rtx-pro-6000" }
  }

  assert {
    condition     = google_container_node_pool.this.node_config[0].disk_type == "hyperdisk-balanced"
    error_message = "A G4 machine boots from Hyperdisk."
  }
}
