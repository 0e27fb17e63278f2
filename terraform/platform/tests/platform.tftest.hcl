# The modules together: what one returns, the others take.
mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = { email = "ray-nodes@my-project-1.iam.gserviceaccount.com" }
  }
  mock_resource "google_container_cluster" {
    defaults = {
      master_version                 = "1.35.1-gke.1616000"
      control_plane_endpoints_config = { dns_endpoint_config = { endpoint = "gke-1.europe-west4.gke.goog" } }
    }
  }
}

variables {
  project_id = "my-project-1"
  region     = "europe-west4"
  zones      = ["europe-west4-a", "europe-west4-b"]
  cluster    = { name = "ray", deletion_protection = false }
  node_pools = {
    a2-highgpu-1g-1g-5gb-spot = {
      machine      = { type = "a2-highgpu-1g" }
      gpu          = { accelerator = "nvidia-tesla-a100", partition_size = "1g.5gb" }
      provisioning = { mode = "spot" }
      autoscaling  = { total_max_node_count = 4 }
    }
    e2-standard-8 = {
      zones       = ["europe-west4-a"]
      machine     = { type = "e2-standard-8" }
      autoscaling = { total_max_node_count = 2 }
    }
  }
}

run "one_pool_for_each_of_the_plan" {
  command = apply

  assert {
    condition     = keys(output.node_pools) == ["a2-highgpu-1g-1g-5gb-spot", "e2-standard-8"]
    error_message = "Node pools map one to one."
  }
  assert {
    condition     = output.node_pools["a2-highgpu-1g-1g-5gb-spot"].gpus_per_node == 7 && output.node_pools["e2-standard-8"].gpus_per_node == 0
    error_message = "A pool says what its nodes offer."
  }
  assert {
    condition     = output.cluster.location == "europe-west4" && output.cluster.host == "https://gke-1.europe-west4.gke.goog"
    error_message = "A regional cluster is reached by its DNS name."
  }
  assert {
    condition     = output.image_registry.docker_hub_url == "europe-west4-docker.pkg.dev/my-project-1/ray-docker-hub"
    error_message = "The registry is in the region of the nodes, and named after the cluster."
  }
  assert {
    condition     = output.node_service_account == "ray-nodes@my-project-1.iam.gserviceaccount.com" && output.workload_identity_pool == "my-project-1.svc.id.goog"
    error_message = "Nodes have an account of their own, pods one pool."
  }
  assert {
    condition     = contains(keys(google_project_service.this), "containerfilesystem.googleapis.com")
    error_message = "Image streaming needs its API."
  }
}

run "pulls_through_further_registries" {
  command = plan

  variables {
    image_registry = { upstreams = { quay-io = "https://quay.io" } }
  }

  assert {
    condition     = output.image_registry.upstream_urls == { quay-io = "europe-west4-docker.pkg.dev/my-project-1/ray-quay-io" }
    error_message = "A registry that images need has its own repository."
  }
}

run "zonal" {
  command = plan

  variables {
    zones   = ["europe-west4-a"]
    cluster = { name = "ray", location = "zonal", deletion_protection = false }
  }

  assert {
    condition     = output.cluster.location == "europe-west4-a"
    error_message = "A zonal cluster is in the platform's one zone."
  }
}

run "googles_own_kuberay" {
  command = plan

  variables {
    cluster = { name = "ray", deletion_protection = false, features = { ray_operator = true } }
  }

  assert {
    condition     = output.ray_operator
    error_message = "The addons stack must know that GKE runs KubeRay."
  }
}

run "apis_that_somebody_else_turns_on" {
  command = plan

  variables {
    apis           = false
    image_registry = { enabled = false }
  }

  assert {
    condition     = length(google_project_service.this) == 0 && output.image_registry.images_url == null
    error_message = "Neither APIs nor a registry where they are not wanted."
  }
}
