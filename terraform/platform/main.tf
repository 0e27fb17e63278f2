locals {
  _location = var.cluster.location == "zonal" ? one(var.zones) : var.region
  _labels   = merge(var.labels, { managed-by = "ray-gke" })

  _apis = [
    "artifactregistry.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "containerfilesystem.googleapis.com",
    "dns.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "serviceusage.googleapis.com",
  ]
}

# They stay on: others in the project may use them too.
resource "google_project_service" "this" {
  for_each = toset(var.apis ? local._apis : [])

  project                    = var.project_id
  service                    = each.value
  disable_on_destroy         = false
  disable_dependent_services = false
}

module "network" {
  source = "../modules/network"

  project_id = var.project_id
  region     = var.region
  name       = coalesce(var.network.name, var.cluster.name)
  ranges     = var.network.ranges
  existing   = var.network.existing
  nat        = var.network.nat
  flow_logs  = var.network.flow_logs

  depends_on = [google_project_service.this]
}

module "cluster" {
  source = "../modules/cluster"

  project_id           = var.project_id
  name                 = var.cluster.name
  location             = local._location
  zones                = var.zones
  network              = merge(module.network.network, { max_pods_per_node = var.network.max_pods_per_node })
  deletion_protection  = var.cluster.deletion_protection
  release              = { channel = var.cluster.release_channel, version = var.cluster.version }
  control_plane        = var.cluster.control_plane
  node_service_account = var.cluster.node_service_account
  features             = var.cluster.features
  autoscaling_profile  = var.cluster.autoscaling_profile
  maintenance          = var.cluster.maintenance
  system_pool          = var.cluster.system_pool
  labels               = local._labels

  # The nodes' service account needs nothing of the network's, but an API.
  depends_on = [google_project_service.this]
}

module "node_pool" {
  source   = "../modules/gpu-node-pool"
  for_each = var.node_pools

  project_id   = var.project_id
  cluster      = module.cluster.cluster
  name         = each.key
  zones        = coalesce(each.value.zones, var.zones)
  machine      = each.value.machine
  gpu          = each.value.gpu
  provisioning = each.value.provisioning
  autoscaling  = each.value.autoscaling
  placement    = each.value.placement
  upgrades     = each.value.upgrades

  nodes = merge(each.value.nodes, {
    service_account   = module.cluster.node_service_account
    resource_labels   = local._labels
    max_pods_per_node = var.network.max_pods_per_node
  })
}

module "image_registry" {
  source = "../modules/image-registry"
  count  = var.image_registry.enabled ? 1 : 0

  project_id    = var.project_id
  location      = coalesce(var.image_registry.location, var.region)
  name          = coalesce(var.image_registry.name, var.cluster.name)
  images        = var.image_registry.images
  docker_hub    = var.image_registry.docker_hub
  upstreams     = var.image_registry.upstreams
  cleanup       = var.image_registry.cleanup
  scanning      = var.image_registry.scanning
  readers       = { nodes = "serviceAccount:${module.cluster.node_service_account}" }
  writers       = var.image_registry.writers
  streaming_api = !var.apis
  kms_key_name  = var.image_registry.kms_key_name
  labels        = local._labels

  depends_on = [google_project_service.this]
}
