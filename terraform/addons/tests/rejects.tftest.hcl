# Every check of the stack, tripped once.
mock_provider "kubernetes" {}

mock_provider "helm" {
  mock_data "helm_template" {
    defaults = {
      crds = ["{\"apiVersion\": \"apiextensions.k8s.io/v1\", \"kind\": \"CustomResourceDefinition\", \"metadata\": {\"name\": \"rayclusters.ray.io\"}, \"spec\": {}}"]
    }
  }
}

variables {
  kube_config = { host = "https://203.0.113.1" }
}

run "host_without_tls" {
  command = plan

  variables {
    kube_config = { host = "http://203.0.113.1" }
  }

  expect_failures = [var.kube_config]
}

run "host_and_a_file" {
  command = plan

  variables {
    kube_config = { host = "https://203.0.113.1", config_path = "~/.kube/config" }
  }

  expect_failures = [var.kube_config]
}

run "certificate_as_pem" {
  command = plan

  variables {
    kube_config = { host = "https://203.0.113.1", cluster_ca_certificate = "-----BEGIN CERTIFICATE-----" }
  }

  expect_failures = [var.kube_config]
}

run "range_of_versions" {
  command = plan

  variables {
    kuberay = { version = "1.5.x" }
  }

  expect_failures = [var.kuberay]
}

run "namespace_of_kuberay" {
  command = plan

  variables {
    kuberay = { namespace = "KubeRay" }
  }

  expect_failures = [var.kuberay]
}

run "repository_in_the_clear" {
  command = plan

  variables {
    kuberay = { repository = "http://charts.example.com" }
  }

  expect_failures = [var.kuberay]
}

run "values_that_are_a_list" {
  command = plan

  variables {
    kuberay = { values = "- replicas: 2" }
  }

  expect_failures = [var.kuberay]
}

run "image_without_a_tag" {
  command = plan

  variables {
    kuberay = { image = "quay.io/kuberay/operator" }
  }

  expect_failures = [var.kuberay]
}

run "namespace_of_the_system" {
  command = plan

  variables {
    namespaces = { kube-system = {} }
  }

  expect_failures = [var.namespaces]
}

run "pod_security" {
  command = plan

  variables {
    namespaces = { vision = { pod_security = "strict" } }
  }

  expect_failures = [var.namespaces]
}

run "quota_in_words" {
  command = plan

  variables {
    namespaces = { vision = { quota = { "requests.cpu" = "many" } } }
  }

  expect_failures = [var.namespaces]
}

run "quota_of_gpu_limits" {
  command = plan

  variables {
    namespaces = { vision = { quota = { "nvidia.com/gpu" = "8" } } }
  }

  expect_failures = [var.namespaces]
}

run "priority_below_the_cutoff" {
  command = plan

  variables {
    priority_classes = { low = { value = -11 } }
  }

  expect_failures = [var.priority_classes]
}

run "preemption_policy" {
  command = plan

  variables {
    priority_classes = { low = { value = -5, preemption_policy = "Sometimes" } }
  }

  expect_failures = [var.priority_classes]
}

run "priority_of_the_system" {
  command = plan

  variables {
    priority_classes = { system-ray = { value = 5 } }
  }

  expect_failures = [var.priority_classes]
}

run "chart_without_definitions" {
  command = plan

  override_data {
    target = data.helm_template.kuberay_crds
    values = { crds = [] }
  }

  expect_failures = [helm_release.kuberay_crds]
}
