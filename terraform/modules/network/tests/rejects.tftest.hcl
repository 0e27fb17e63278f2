# Every check of the module, tripped once.
mock_provider "google" {
  mock_data "google_compute_subnetwork" {
    defaults = {
      private_ip_google_access = true
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

run "name_too_long" {
  command = plan

  variables {
    name = "a2345678901234567890123456789012345678901234567890123456789"
  }

  expect_failures = [var.name]
}

run "range_without_a_length" {
  command = plan

  variables {
    ranges = { nodes = "10.0.0.0" }
  }

  expect_failures = [var.ranges]
}

run "range_from_its_middle" {
  command = plan

  variables {
    ranges = { nodes = "10.0.0.1/20" }
  }

  expect_failures = [var.ranges]
}

run "pods_over_nodes" {
  command = plan

  variables {
    ranges = { nodes = "10.4.16.0/20", pods = "10.4.0.0/14" }
  }

  expect_failures = [var.ranges]
}

run "services_in_pods" {
  command = plan

  variables {
    ranges = { pods = "10.0.0.0/8", nodes = "192.168.0.0/20", services = "10.8.0.0/20" }
  }

  expect_failures = [var.ranges]
}

run "the_same_range_twice" {
  command = plan

  variables {
    ranges = { nodes = "10.8.0.0/20" }
  }

  expect_failures = [var.ranges]
}

run "nodes_too_few" {
  command = plan

  variables {
    ranges = { nodes = "10.0.0.0/30" }
  }

  expect_failures = [var.ranges]
}

run "pods_too_few" {
  command = plan

  variables {
    ranges = { pods = "10.4.0.0/29" }
  }

  expect_failures = [var.ranges]
}

run "services_too_many" {
  command = plan

  variables {
    ranges = { services = "10.16.0.0/12" }
  }

  expect_failures = [var.ranges]
}

run "one_range_for_pods_and_services" {
  command = plan

  variables {
    existing = {
      network             = "shared"
      subnetwork          = "shared"
      pods_range_name     = "pods"
      services_range_name = "pods"
    }
  }

  expect_failures = [var.existing]
}

run "range_that_is_not_there" {
  command = plan

  variables {
    existing = {
      network             = "shared"
      subnetwork          = "shared"
      pods_range_name     = "pods"
      services_range_name = "others"
    }
  }

  expect_failures = [data.google_compute_subnetwork.existing]
}

run "ports_that_are_no_power_of_two" {
  command = plan

  variables {
    nat = { min_ports_per_vm = 100 }
  }

  expect_failures = [var.nat]
}

run "ports_upside_down" {
  command = plan

  variables {
    nat = { min_ports_per_vm = 4096, max_ports_per_vm = 64 }
  }

  expect_failures = [var.nat]
}

run "flow_logs" {
  command = plan

  variables {
    flow_logs = 2
  }

  expect_failures = [var.flow_logs]
}
