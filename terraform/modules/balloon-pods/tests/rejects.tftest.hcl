# Every check of the module, tripped once.
mock_provider "kubernetes" {}

run "below_the_cutoff" {
  command = plan

  variables {
    priority_class = { value = -11 }
  }

  expect_failures = [var.priority_class]
}

run "no_lower_than_workers" {
  command = plan

  variables {
    priority_class = { value = 0 }
  }

  expect_failures = [var.priority_class]
}

run "name_of_the_system" {
  command = plan

  variables {
    priority_class = { name = "system-balloon" }
  }

  expect_failures = [var.priority_class]
}

run "balloon_with_a_dot" {
  command = plan

  variables {
    balloons = {
      "warm.gpu" = { namespace = "vision", cpu = "1", memory = "1Gi" }
    }
  }

  expect_failures = [var.balloons]
}

run "half_a_balloon" {
  command = plan

  variables {
    balloons = {
      warm = {
        namespace = "vision"
        cpu       = "1"
        memory    = "1Gi"
        replicas  = 1.5
      }
    }
  }

  expect_failures = [var.balloons]
}

run "memory_in_words" {
  command = plan

  variables {
    balloons = {
      warm = {
        namespace = "vision"
        cpu       = "1"
        memory    = "much"
      }
    }
  }

  expect_failures = [var.balloons]
}

run "gpus_without_their_toleration" {
  command = plan

  variables {
    balloons = {
      warm = {
        namespace   = "vision"
        cpu         = "1"
        memory      = "1Gi"
        gpus        = 1
        tolerations = [{ key = "cloud.google.com/gke-spot", value = "true", effect = "NoSchedule" }]
      }
    }
  }

  expect_failures = [var.balloons]
}

run "two_shares_of_a_gpu" {
  command = plan

  variables {
    balloons = {
      warm = {
        namespace     = "vision"
        cpu           = "1"
        memory        = "1Gi"
        gpus          = 2
        node_selector = { "cloud.google.com/gke-gpu-sharing-strategy" = "time-sharing" }
      }
    }
  }

  expect_failures = [var.balloons]
}

run "affinity_operator" {
  command = plan

  variables {
    balloons = {
      warm = {
        namespace     = "vision"
        cpu           = "1"
        memory        = "1Gi"
        node_affinity = [{ key = "cloud.google.com/gke-spot", operator = "Equals", values = ["true"] }]
      }
    }
  }

  expect_failures = [var.balloons]
}
