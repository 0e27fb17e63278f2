resource "kubernetes_namespace_v1" "this" {
  for_each = var.namespaces

  metadata {
    name = each.key
    labels = merge(each.value.labels, {
      "app.kubernetes.io/managed-by"       = "terraform"
      "pod-security.kubernetes.io/enforce" = each.value.pod_security
      "pod-security.kubernetes.io/warn"    = each.value.pod_security
    })
  }

  lifecycle {
    # Others write them: tools for policies, secrets and costs.
    ignore_changes = [metadata[0].annotations]
  }
}

resource "kubernetes_resource_quota_v1" "this" {
  for_each = { for name, namespace in var.namespaces : name => namespace.quota if length(namespace.quota) > 0 }

  metadata {
    name      = "ray-gke"
    namespace = kubernetes_namespace_v1.this[each.key].metadata[0].name
  }

  spec {
    hard = each.value
  }
}

resource "kubernetes_priority_class_v1" "this" {
  for_each = var.priority_classes

  metadata {
    name   = each.key
    labels = { "app.kubernetes.io/managed-by" = "ray-gke" }
  }

  value             = each.value.value
  global_default    = false
  preemption_policy = each.value.preemption_policy
}

module "balloon_pods" {
  source = "../modules/balloon-pods"
  count  = length(var.balloons) == 0 ? 0 : 1

  balloons = var.balloons
  image    = var.balloon_image

  depends_on = [kubernetes_namespace_v1.this]
}
