# KubeRay by its chart, with its definitions brought to the same version; namespaces.
mock_provider "kubernetes" {}

mock_provider "helm" {
  mock_data "helm_template" {
    defaults = {
      crds = [
        <<-EOT
        ---
        # Of the chart.
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          annotations:
            controller-gen.kubebuilder.io/version: v0.18.0
          creationTimestamp: null
          name: rayclusters.ray.io
        spec:
          group: ray.io
          versions: [{name: v1, maximum: 2147483647}]
        status: {}
        EOT
      ]
    }
  }
}

variables {
  kube_config = { host = "https://203.0.113.1" }
}

run "definitions_are_a_release_of_their_own" {
  command = plan

  assert {
    condition = (
      jsondecode(jsondecode(helm_release.kuberay_crds["this"].values[0]).crds[0]) ==
      {
        apiVersion = "apiextensions.k8s.io/v1"
        kind       = "CustomResourceDefinition"
        metadata = {
          name = "rayclusters.ray.io"
          annotations = {
            "controller-gen.kubebuilder.io/version" = "v0.18.0"
            "helm.sh/resource-policy"               = "keep"
          }
        }
        spec = { group = "ray.io", versions = [{ name = "v1", maximum = 2147483647 }] }
      }
    )
    error_message = "Each definition goes into the chart whole, but for its status, and stays when the release goes."
  }
  assert {
    condition     = helm_release.kuberay_crds["this"].take_ownership && helm_release.kuberay_crds["this"].upgrade_install
    error_message = "Definitions that are there become part of the release."
  }
}

run "the_operator_is_pinned" {
  command = plan

  assert {
    condition     = helm_release.kuberay_operator["this"].version == "1.5.1" && helm_release.kuberay_operator["this"].skip_crds
    error_message = "The chart has exactly the version that was said, and brings no definitions of its own."
  }
  assert {
    condition     = yamldecode(helm_release.kuberay_operator["this"].values[0]).tolerations[0].key == "components.gke.io/gke-managed-components"
    error_message = "The operator may run on GKE's system pool."
  }
  assert {
    condition     = kubernetes_namespace_v1.kuberay["this"].metadata[0].labels["pod-security.kubernetes.io/enforce"] == "restricted"
    error_message = "The operator runs in a restricted namespace."
  }
  assert {
    condition     = kubernetes_namespace_v1.kuberay["this"].metadata[0].labels["app.kubernetes.io/managed-by"] == "terraform"
    error_message = "ray-gke down removes empty namespaces that say ray-gke: this one is Terraform's."
  }
}

run "the_operators_metrics_are_read_beside_it" {
  command = plan

  variables {
    kuberay = { namespace = "ray-system" }
  }

  assert {
    condition     = helm_release.kuberay_monitoring["this"].namespace == "ray-system"
    error_message = "A PodMonitoring reads the pods of its own namespace: the operator's."
  }
}

run "an_image_from_another_registry" {
  command = plan

  variables {
    kuberay = { image = "europe-west4-docker.pkg.dev/my-project-1/ray-images/kuberay/operator:v1.5.1" }
  }

  assert {
    condition = yamldecode(helm_release.kuberay_operator["this"].values[1]).image == {
      repository = "europe-west4-docker.pkg.dev/my-project-1/ray-images/kuberay/operator"
      tag        = "v1.5.1"
    }
    error_message = "The chart takes repository and tag apart."
  }
}

run "not_beside_gkes_own" {
  command = plan

  variables {
    kuberay = { install = false }
  }

  assert {
    condition = (
      length(helm_release.kuberay_operator) == 0 && length(helm_release.kuberay_crds) == 0 &&
      length(helm_release.kuberay_monitoring) == 0 &&
      length(kubernetes_namespace_v1.kuberay) == 0 && output.kuberay_version == null
    )
    error_message = "Nothing of KubeRay is installed where GKE runs it."
  }
}

run "namespaces_have_levels_and_quotas" {
  command = plan

  variables {
    namespaces = {
      vision = { quota = { "requests.nvidia.com/gpu" = "8" } }
      text   = { pod_security = "baseline" }
    }
  }

  assert {
    condition = (
      kubernetes_namespace_v1.this["vision"].metadata[0].labels["pod-security.kubernetes.io/enforce"] == "restricted" &&
      kubernetes_namespace_v1.this["text"].metadata[0].labels["pod-security.kubernetes.io/enforce"] == "baseline"
    )
    error_message = "Pod Security is restricted unless told otherwise."
  }
  assert {
    condition = alltrue([
      for namespace in values(kubernetes_namespace_v1.this) :
      namespace.metadata[0].labels["app.kubernetes.io/managed-by"] == "terraform"
    ])
    error_message = "ray-gke down removes empty namespaces that say ray-gke: these are Terraform's."
  }
  assert {
    condition     = keys(kubernetes_resource_quota_v1.this) == ["vision"] && kubernetes_resource_quota_v1.this["vision"].spec[0].hard["requests.nvidia.com/gpu"] == "8"
    error_message = "A namespace has a quota where one is said."
  }
}

run "balloons_of_the_module" {
  command = plan

  variables {
    balloons = {
      warm = { namespace = "vision", cpu = "1", memory = "1Gi", replicas = 2 }
    }
  }

  assert {
    condition     = output.balloon_priority_class == "ray-gke-balloon"
    error_message = "Balloons have the module's priority class."
  }
}
