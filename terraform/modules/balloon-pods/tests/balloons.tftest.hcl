# A balloon is as large as a worker, goes where it goes, and gives way.
mock_provider "kubernetes" {}

variables {
  balloons = {
    stable-diffusion-gpu = {
      namespace = "vision"
      replicas  = 7
      cpu       = "1500m"
      memory    = "9Gi"
      gpus      = 1
      node_selector = {
        "cloud.google.com/gke-accelerator"        = "nvidia-tesla-a100"
        "cloud.google.com/gke-gpu-partition-size" = "1g.5gb"
      }
      node_affinity = [{ key = "cloud.google.com/gke-gpu-sharing-strategy", operator = "DoesNotExist" }]
      tolerations   = [{ key = "nvidia.com/gpu", operator = "Exists", effect = "NoSchedule" }]
    }
  }
}

run "balloons_bring_nodes_and_give_way" {
  command = plan

  assert {
    condition = (
      kubernetes_priority_class_v1.this[0].value == -10 &&
      kubernetes_priority_class_v1.this[0].preemption_policy == "Never" &&
      !kubernetes_priority_class_v1.this[0].global_default
    )
    error_message = "-10 is the lowest priority that brings nodes."
  }
  assert {
    condition = (
      kubernetes_deployment_v1.this["stable-diffusion-gpu"].spec[0].template[0].spec[0].priority_class_name == "ray-gke-balloon" &&
      kubernetes_deployment_v1.this["stable-diffusion-gpu"].spec[0].template[0].spec[0].termination_grace_period_seconds == 0
    )
    error_message = "Balloons go at once."
  }
  assert {
    condition     = kubernetes_deployment_v1.this["stable-diffusion-gpu"].spec[0].template[0].metadata[0].annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "true"
    error_message = "A node with nothing but balloons too many may be removed."
  }
}

run "a_balloon_is_one_worker" {
  command = plan

  assert {
    condition = (
      kubernetes_deployment_v1.this["stable-diffusion-gpu"].spec[0].template[0].spec[0].container[0].resources[0].requests ==
      tomap({ cpu = "1500m", memory = "9Gi", "nvidia.com/gpu" = "1" })
    )
    error_message = "A balloon asks for what a worker asks for."
  }
  assert {
    condition = (
      kubernetes_deployment_v1.this["stable-diffusion-gpu"].spec[0].template[0].spec[0].container[0].resources[0].requests ==
      kubernetes_deployment_v1.this["stable-diffusion-gpu"].spec[0].template[0].spec[0].container[0].resources[0].limits
    )
    error_message = "Requests and limits are the same."
  }
  assert {
    condition     = kubernetes_deployment_v1.this["stable-diffusion-gpu"].spec[0].template[0].spec[0].node_selector["cloud.google.com/gke-gpu-partition-size"] == "1g.5gb"
    error_message = "A balloon goes where the workers go."
  }
  assert {
    condition     = kubernetes_deployment_v1.this["stable-diffusion-gpu"].spec[0].template[0].spec[0].affinity[0].node_affinity[0].required_during_scheduling_ignored_during_execution[0].node_selector_term[0].match_expressions[0].operator == "DoesNotExist"
    error_message = "A balloon stays off the nodes that workers stay off."
  }
}

run "terraform_does_not_wait_for_nodes" {
  command = plan

  assert {
    condition     = !kubernetes_deployment_v1.this["stable-diffusion-gpu"].wait_for_rollout
    error_message = "Nodes may come later, or never."
  }
  assert {
    condition     = output.replicas == 7
    error_message = "Seven balloons are asked for."
  }
}

run "none_by_default" {
  command = plan

  variables {
    balloons = {}
  }

  assert {
    condition     = output.replicas == 0
    error_message = "Warm nodes cost: there are none until somebody asks."
  }
}

run "a_priority_class_of_ones_own" {
  command = plan

  variables {
    priority_class = { name = "placeholder", create = false }
  }

  assert {
    condition = (
      length(kubernetes_priority_class_v1.this) == 0 &&
      kubernetes_deployment_v1.this["stable-diffusion-gpu"].spec[0].template[0].spec[0].priority_class_name == "placeholder"
    )
    error_message = "A class that is there is used, not made."
  }
}
