output "name" {
  description = "Name of the node pool"
  value       = google_container_node_pool.this.name
}

output "id" {
  description = "ID of the node pool, also the one for `terraform import`"
  value       = google_container_node_pool.this.id
}

output "node_selector" {
  description = "Labels that GKE puts on the nodes, for pods to select: a pod also selects on its pool by `cloud.google.com/gke-nodepool`"
  value = {
    for key, value in merge(local._labels, {
      "cloud.google.com/gke-nodepool"           = var.name
      "cloud.google.com/gke-accelerator"        = try(var.gpu.accelerator, null)
      "cloud.google.com/gke-gpu-partition-size" = try(var.gpu.partition_size, null)
      # On the node in small letters with a hyphen, unlike in the API.
      "cloud.google.com/gke-gpu-sharing-strategy" = try(
        lower(replace(local._sharing.strategy, "_", "-")), null
      )
      "cloud.google.com/gke-max-shared-clients-per-gpu" = try(
        tostring(local._sharing.max_shared_clients_per_gpu), null
      )
      "cloud.google.com/gke-spot" = var.provisioning.mode == "spot" ? "true" : null
    }) : key => value if value != null
  }
}

output "tolerations" {
  description = "What pods must tolerate to run on the nodes; GKE adds the one for GPUs to pods that ask for them"
  value = [
    for taint in local._declared_taints : {
      key      = taint.key
      operator = "Equal"
      value    = taint.value
      effect   = join("", [for word in split("_", lower(taint.effect)) : title(word)])
    }
  ]
}

output "gpus_per_node" {
  description = "How many nvidia.com/gpu a node offers: GPUs, times their partitions, times the pods that share one"
  value = var.gpu == null ? 0 : (
    var.gpu.count *
    try(local._offer.partition_sizes[var.gpu.partition_size], 1) *
    try(local._sharing.max_shared_clients_per_gpu, 1)
  )
}
