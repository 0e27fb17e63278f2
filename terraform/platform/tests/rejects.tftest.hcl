# Every check of the stack's own, tripped once; those of modules are tripped there.
mock_provider "google" {}

variables {
  project_id = "my-project-1"
  region     = "europe-west4"
  cluster    = { name = "ray", deletion_protection = false }
}

run "project_number" {
  command = plan

  variables {
    project_id = "123456789012"
  }

  expect_failures = [var.project_id]
}

run "zone_for_a_region" {
  command = plan

  variables {
    region = "europe-west4-a"
  }

  expect_failures = [var.region]
}

run "zone_twice" {
  command = plan

  variables {
    zones = ["europe-west4-a", "europe-west4-a"]
  }

  expect_failures = [var.zones]
}

run "zone_that_is_no_letter" {
  command = plan

  variables {
    zones = ["europe-west4-west"]
  }

  expect_failures = [var.zones]
}

run "zone_of_another_region" {
  command = plan

  variables {
    zones = ["europe-west1-b"]
  }

  expect_failures = [var.zones]
}

run "zonal_in_no_zone" {
  command = plan

  variables {
    cluster = { name = "ray", deletion_protection = false, location = "zonal" }
  }

  expect_failures = [var.cluster]
}

run "zonal_in_two_zones" {
  command = plan

  variables {
    zones   = ["europe-west4-a", "europe-west4-b"]
    cluster = { name = "ray", deletion_protection = false, location = "zonal" }
  }

  expect_failures = [var.cluster]
}

run "cluster_location" {
  command = plan

  variables {
    cluster = { name = "ray", deletion_protection = false, location = "global" }
  }

  expect_failures = [var.cluster]
}

run "pool_of_the_system" {
  command = plan

  variables {
    node_pools = {
      system = { machine = { type = "e2-standard-4" }, autoscaling = { total_max_node_count = 3 } }
    }
  }

  expect_failures = [var.node_pools]
}
