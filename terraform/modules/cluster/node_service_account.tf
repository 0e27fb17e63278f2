locals {
  # At most 30 characters: a long name of a cluster is cut, and told apart by a digest.
  _account_id = length(var.name) <= 24 ? "${var.name}-nodes" : (
    "${trimsuffix(substr(var.name, 0, 17), "-")}-${substr(sha256(var.name), 0, 6)}-nodes"
  )

  node_service_account = (
    var.node_service_account == null ? google_service_account.nodes[0].email : var.node_service_account
  )
}

resource "google_service_account" "nodes" {
  count = var.node_service_account == null ? 1 : 0

  project      = var.project_id
  account_id   = local._account_id
  display_name = "Nodes of the GKE cluster ${var.name}"
}

# Without the second, images that could be streamed are downloaded, and nobody is told.
resource "google_project_iam_member" "nodes" {
  for_each = toset(var.node_service_account == null ? [
    "roles/container.defaultNodeServiceAccount",
    "roles/serviceusage.serviceUsageConsumer",
  ] : [])

  project = var.project_id
  role    = each.value
  member  = "serviceAccount:${local.node_service_account}"
}
