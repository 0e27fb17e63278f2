output "cluster" {
  description = "The cluster: `name`, `location`, `version`, and how it is reached. `host` is what a Kubernetes client takes; its certificate is Google's by the DNS name, that of `ca_certificate` by the address"
  value = {
    name           = module.cluster.name
    location       = module.cluster.location
    version        = module.cluster.master_version
    dns_endpoint   = module.cluster.dns_endpoint
    ip_endpoint    = module.cluster.ip_endpoint
    host           = "https://${module.cluster.dns_endpoint}"
    ca_certificate = module.cluster.ca_certificate
  }
}

output "project_id" {
  description = "ID of the project"
  value       = var.project_id
}

output "node_service_account" {
  description = "E-mail of the nodes' service account"
  value       = module.cluster.node_service_account
}

output "workload_identity_pool" {
  description = "Pool of the Kubernetes service accounts, for IAM bindings"
  value       = module.cluster.workload_identity_pool
}

output "node_pools" {
  description = "Of each node pool, what pods select and tolerate, and the nvidia.com/gpu of a node"
  value = {
    for name, pool in module.node_pool : name => {
      node_selector = pool.node_selector
      tolerations   = pool.tolerations
      gpus_per_node = pool.gpus_per_node
    }
  }
}

output "image_registry" {
  description = "What names of images begin with: `images_url` for your own, `docker_hub_url` for those of Docker Hub, `upstream_urls` for those of other registries by their names; null without"
  value = {
    images_url     = one(module.image_registry[*].images_url)
    docker_hub_url = one(module.image_registry[*].docker_hub_url)
    upstream_urls  = one(module.image_registry[*].upstream_urls)
  }
}

output "ray_operator" {
  description = "Whether GKE runs KubeRay's operator: the addons stack must not install another then"
  value       = coalesce(var.cluster.features.ray_operator, false)
}
