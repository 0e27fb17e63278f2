locals {
  _kuberay = var.kuberay.install ? { this = var.kuberay } : {}

  # Helm installs what lies in a chart's crds/ once, and never upgrades it. As the
  # templates of a chart of their own they are brought to each version, before the
  # operator: one that is newer than its definitions has deleted workers (KubeRay 2087).
  _crds = {
    for key, chart in data.helm_template.kuberay_crds : key => [
      for crd in [for text in chart.crds : yamldecode(text)] : jsonencode({
        apiVersion = crd.apiVersion
        kind       = crd.kind
        spec       = crd.spec
        metadata = {
          name = crd.metadata.name
          annotations = merge(
            try(crd.metadata.annotations, {}),
            var.kuberay.keep_crds ? { "helm.sh/resource-policy" = "keep" } : {},
          )
        }
      })
    ]
  }

  _operator_values = {
    # GKE's system pool has room; Ray's own nodes come and go.
    tolerations = [{
      key      = "components.gke.io/gke-managed-components"
      operator = "Exists"
      effect   = "NoSchedule"
    }]
  }
  _operator_image = var.kuberay.image == null ? {} : {
    image = {
      repository = regex("^(.*):[^:/]+$", var.kuberay.image)[0]
      tag        = regex(":([^:/]+)$", var.kuberay.image)[0]
    }
  }
}

# Helm would leave a namespace that it made.
resource "kubernetes_namespace_v1" "kuberay" {
  for_each = {
    for key, kuberay in local._kuberay : key => kuberay
    if kuberay.create_namespace && !contains(keys(var.namespaces), kuberay.namespace)
  }

  metadata {
    name = each.value.namespace
    labels = {
      "app.kubernetes.io/managed-by"       = "terraform"
      "pod-security.kubernetes.io/enforce" = "restricted"
    }
  }

  lifecycle {
    ignore_changes = [metadata[0].annotations]
  }
}

# Only reads the chart: nothing in the cluster depends on it.
data "helm_template" "kuberay_crds" {
  for_each = local._kuberay

  name         = "kuberay-operator"
  namespace    = each.value.namespace
  repository   = each.value.repository
  chart        = "kuberay-operator"
  version      = each.value.version
  include_crds = true
}

resource "helm_release" "kuberay_crds" {
  for_each = local._kuberay

  name      = "kuberay-crds"
  namespace = each.value.namespace
  chart     = "${path.module}/charts/kuberay-crds"
  values    = [jsonencode({ version = each.value.version, crds = local._crds[each.key] })]

  # Those that kubectl or another chart installed before become ours; an interrupted
  # installation goes on.
  take_ownership  = true
  upgrade_install = true
  max_history     = 2

  depends_on = [kubernetes_namespace_v1.kuberay, kubernetes_namespace_v1.this]

  lifecycle {
    precondition {
      condition     = length(local._crds[each.key]) > 0
      error_message = "The chart kuberay-operator ${each.value.version} of ${each.value.repository} has no custom resource definitions."
    }
  }
}

resource "helm_release" "kuberay_operator" {
  for_each = local._kuberay

  name            = "kuberay-operator"
  namespace       = each.value.namespace
  repository      = each.value.repository
  chart           = "kuberay-operator"
  version         = each.value.version
  skip_crds       = true
  upgrade_install = true
  max_history     = 5
  atomic          = false
  timeout         = 600

  values = concat(
    [yamlencode(local._operator_values), yamlencode(local._operator_image)],
    each.value.values[*],
  )

  depends_on = [helm_release.kuberay_crds]
}

# The operator alone tells that a RayJob has failed, and its chart has a monitor for the
# Prometheus operator only.
resource "helm_release" "kuberay_monitoring" {
  for_each = local._kuberay

  name            = "kuberay-monitoring"
  namespace       = each.value.namespace
  chart           = "${path.module}/charts/kuberay-monitoring"
  upgrade_install = true
  max_history     = 2

  depends_on = [kubernetes_namespace_v1.kuberay, kubernetes_namespace_v1.this]
}
