# Every check of the module, tripped once.
mock_provider "google" {}

variables {
  project_id = "my-project-1"
  location   = "europe-west4"
}

run "project_number" {
  command = plan

  variables {
    project_id = "123456789012"
  }

  expect_failures = [var.project_id]
}

run "zone_for_a_location" {
  command = plan

  variables {
    location = "europe-west4-a"
  }

  expect_failures = [var.location]
}

run "name_with_underscores" {
  command = plan

  variables {
    name = "ray_gke"
  }

  expect_failures = [var.name]
}

run "password_instead_of_a_secret" {
  command = plan

  variables {
    docker_hub = { credentials = { username = "ada", password_secret_version = "hunter2" } }
  }

  expect_failures = [var.docker_hub]
}

run "upstream_of_another_variable" {
  command = plan

  variables {
    upstreams = { docker-hub = "https://registry-1.docker.io" }
  }

  expect_failures = [var.upstreams]
}

run "upstream_with_underscores" {
  command = plan

  variables {
    upstreams = { quay_io = "https://quay.io" }
  }

  expect_failures = [var.upstreams]
}

run "upstream_with_a_long_name" {
  command = plan

  variables {
    name      = "ray-gke-in-the-region-of-the-nodes-of-our-platform"
    upstreams = { registry-k8s-io = "https://registry.k8s.io" }
  }

  expect_failures = [var.upstreams]
}

run "upstream_without_https" {
  command = plan

  variables {
    upstreams = { quay-io = "quay.io" }
  }

  expect_failures = [var.upstreams]
}

run "cleanup_at_once" {
  command = plan

  variables {
    cleanup = { untagged_days = 0 }
  }

  expect_failures = [var.cleanup]
}

run "everybody_reads" {
  command = plan

  variables {
    readers = { all = "allUsers" }
  }

  expect_failures = [var.readers]
}

run "everybody_writes" {
  command = plan

  variables {
    writers = { all = "allAuthenticatedUsers" }
  }

  expect_failures = [var.writers]
}
