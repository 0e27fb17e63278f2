variable "project_id" {
  description = "ID of the Google Cloud project of the cluster"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be the project's ID, such as my-project-1, not its number."
  }
}

variable "cluster" {
  description = <<-EOT
    The cluster that gets the pool: `name` and `location` as its module returns them. A
    GKE `version`, where given, is checked against what the pool's features need.
  EOT
  type = object({
    name     = string
    location = string
    version  = optional(string)
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+(-[a-z0-9]+)?$", var.cluster.location))
    error_message = "cluster.location must be a region such as europe-west4, or a zone."
  }
  validation {
    condition = (
      var.cluster.version == null ||
      can(regex("^1\\.[0-9]+(\\.[0-9]+(-gke\\.[0-9]+)?)?$", var.cluster.version))
    )
    error_message = "cluster.version must be a version of GKE such as 1.34 or 1.34.1-gke.1000."
  }
}

variable "name" {
  description = "Name of the node pool"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 40 small letters, digits and '-', beginning with a letter."
  }
}

variable "zones" {
  description = "Zones of the nodes; those of the cluster without"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must name each zone once."
  }
  validation {
    condition = alltrue([
      for zone in var.zones : can(regex("^[a-z]+-[a-z]+[0-9]+-([a-z]|ai[0-9][a-z])$", zone))
    ])
    error_message = "zones must be zones such as europe-west4-a."
  }
}

variable "machine" {
  description = <<-EOT
    The nodes' machines. `boot_disk_gib` and `boot_disk_type` are of the boot disk, which
    holds images too; the type is pd-balanced where the machine takes it, else
    hyperdisk-balanced. `ephemeral_local_ssds` local SSDs hold what pods write.
  EOT
  type = object({
    type                 = string
    image_type           = optional(string, "COS_CONTAINERD")
    boot_disk_gib        = optional(number, 100)
    boot_disk_type       = optional(string)
    ephemeral_local_ssds = optional(number)
  })
  nullable = false

  validation {
    condition     = contains(["COS_CONTAINERD", "UBUNTU_CONTAINERD"], var.machine.image_type)
    error_message = "machine.image_type must be COS_CONTAINERD or UBUNTU_CONTAINERD."
  }
  validation {
    condition     = var.machine.boot_disk_gib >= 10 && floor(var.machine.boot_disk_gib) == var.machine.boot_disk_gib
    error_message = "machine.boot_disk_gib must be a whole number, at least 10."
  }
  validation {
    condition = var.machine.boot_disk_type == null ? true : contains(
      ["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"], var.machine.boot_disk_type
    )
    error_message = "machine.boot_disk_type must be pd-standard, pd-balanced, pd-ssd or hyperdisk-balanced."
  }
  validation {
    condition     = var.machine.ephemeral_local_ssds == null ? true : var.machine.ephemeral_local_ssds >= 1
    error_message = "machine.ephemeral_local_ssds must be at least 1, or left out."
  }
}

variable "gpu" {
  description = <<-EOT
    GPUs of each node; none without. `partition_size` divides every GPU by MIG. `sharing`
    lets several pods have one GPU, or one partition. `driver_version` is what GKE
    installs.
  EOT
  type = object({
    accelerator    = string
    count          = optional(number, 1)
    partition_size = optional(string)
    sharing = optional(object({
      strategy                   = string
      max_shared_clients_per_gpu = number
    }))
    driver_version = optional(string, "DEFAULT")
  })
  default = null

  validation {
    condition = var.gpu == null ? true : contains(
      ["DEFAULT", "LATEST", "INSTALLATION_DISABLED"], var.gpu.driver_version
    )
    error_message = "gpu.driver_version must be DEFAULT, LATEST or INSTALLATION_DISABLED."
  }
  validation {
    condition = try(var.gpu.sharing, null) == null ? true : contains(
      ["TIME_SHARING", "MPS"], var.gpu.sharing.strategy
    )
    error_message = "gpu.sharing.strategy must be TIME_SHARING or MPS."
  }
  validation {
    condition = try(var.gpu.sharing, null) == null ? true : (
      var.gpu.sharing.max_shared_clients_per_gpu >= 2 &&
      var.gpu.sharing.max_shared_clients_per_gpu <= 48 &&
      floor(var.gpu.sharing.max_shared_clients_per_gpu) == var.gpu.sharing.max_shared_clients_per_gpu
    )
    error_message = "gpu.sharing.max_shared_clients_per_gpu must be a whole number from 2 to 48."
  }
}

variable "provisioning" {
  description = <<-EOT
    How Google provides the nodes. `mode` is standard, spot, flex-start or reservation; the
    last names a `reservation`, of another project as projects/PROJECT/reservations/NAME.
    `queued` brings all nodes of a request together, or none. `max_run_duration`, such as
    3600s, ends nodes of flex-start and queued ones. `graceful_shutdown` gives pods on Spot
    nodes more than 15 seconds, of which `critical_pods_seconds` are the system's.
  EOT
  type = object({
    mode             = optional(string, "standard")
    reservation      = optional(string)
    queued           = optional(bool, false)
    max_run_duration = optional(string)
    graceful_shutdown = optional(object({
      seconds               = number
      critical_pods_seconds = optional(number, 15)
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition = contains(
      ["standard", "spot", "flex-start", "reservation"], var.provisioning.mode
    )
    error_message = "provisioning.mode must be standard, spot, flex-start or reservation."
  }
  validation {
    condition     = (var.provisioning.mode == "reservation") == (var.provisioning.reservation != null)
    error_message = "provisioning.reservation goes with the mode reservation, which needs it: Spot, flex-start and standard nodes take none."
  }
  validation {
    condition = var.provisioning.reservation == null ? true : can(regex(
      "^(projects/[^/]+/reservations/)?[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", var.provisioning.reservation
    ))
    error_message = "provisioning.reservation must be the name of a reservation, or projects/PROJECT/reservations/NAME."
  }
  validation {
    condition     = !var.provisioning.queued || contains(["standard", "flex-start"], var.provisioning.mode)
    error_message = "provisioning.queued does not go with spot or reservation."
  }
  validation {
    condition = var.provisioning.max_run_duration == null ? true : (
      var.provisioning.mode == "flex-start" || var.provisioning.queued
    )
    error_message = "provisioning.max_run_duration goes with flex-start or queued nodes only."
  }
  validation {
    condition = var.provisioning.max_run_duration == null ? true : try(
      tonumber(regex("^([0-9]+)s$", var.provisioning.max_run_duration)[0]) >= 60 &&
      tonumber(regex("^([0-9]+)s$", var.provisioning.max_run_duration)[0]) <= 604800,
      false
    )
    error_message = "provisioning.max_run_duration must be 60s to 604800s, which is seven days."
  }
  validation {
    condition     = var.provisioning.graceful_shutdown == null || var.provisioning.mode == "spot"
    error_message = "provisioning.graceful_shutdown is for Spot nodes only."
  }
  validation {
    condition = var.provisioning.graceful_shutdown == null ? true : (
      var.provisioning.graceful_shutdown.seconds <= 120 &&
      var.provisioning.graceful_shutdown.critical_pods_seconds >= 0 &&
      var.provisioning.graceful_shutdown.critical_pods_seconds < var.provisioning.graceful_shutdown.seconds
    )
    error_message = "provisioning.graceful_shutdown.seconds must be at most 120, and more than critical_pods_seconds."
  }
}

variable "autoscaling" {
  description = <<-EOT
    How many nodes there may be, all zones together. A pool begins with
    `initial_node_count` nodes in each zone. `location_policy` is ANY, wherever there are
    any, or BALANCED; without, ANY for GPUs and whatever is not standard.
  EOT
  type = object({
    total_min_node_count = optional(number, 0)
    total_max_node_count = number
    initial_node_count   = optional(number, 0)
    location_policy      = optional(string)
  })
  nullable = false

  validation {
    condition = (
      var.autoscaling.total_min_node_count >= 0 &&
      var.autoscaling.total_max_node_count >= 1 &&
      var.autoscaling.total_min_node_count <= var.autoscaling.total_max_node_count
    )
    error_message = "autoscaling.total_max_node_count must be at least 1, and not less than total_min_node_count."
  }
  validation {
    condition = alltrue([
      for count in [
        var.autoscaling.total_min_node_count, var.autoscaling.total_max_node_count,
        var.autoscaling.initial_node_count,
      ] : floor(count) == count
    ])
    error_message = "autoscaling counts must be whole numbers."
  }
  validation {
    condition = (
      var.autoscaling.initial_node_count >= 0 &&
      var.autoscaling.initial_node_count <= var.autoscaling.total_max_node_count
    )
    error_message = "autoscaling.initial_node_count must be from 0 to total_max_node_count."
  }
  validation {
    condition = var.autoscaling.location_policy == null ? true : contains(
      ["ANY", "BALANCED"], var.autoscaling.location_policy
    )
    error_message = "autoscaling.location_policy must be ANY or BALANCED."
  }
}

variable "placement" {
  description = "`type` COMPACT keeps the nodes close to each other, in one zone; by a resource policy of yours where `policy_name` names it"
  type = object({
    type        = string
    policy_name = optional(string)
  })
  default = null

  validation {
    condition     = var.placement == null ? true : var.placement.type == "COMPACT"
    error_message = "placement.type must be COMPACT."
  }
}

variable "nodes" {
  description = <<-EOT
    What every node has. `service_account` is the e-mail of the nodes' own account, never
    the project's default one. `labels` are Kubernetes labels, `resource_labels` Google
    Cloud's. `taints` are beside those the pool needs, which it declares itself.
    `secondary_boot_disks` are disk images with container images on them.
    `image_streaming` starts containers before their images are there.
  EOT
  type = object({
    service_account = string
    oauth_scopes    = optional(list(string), ["https://www.googleapis.com/auth/cloud-platform"])
    labels          = optional(map(string), {})
    taints = optional(list(object({
      key    = string
      value  = string
      effect = optional(string, "NO_SCHEDULE")
    })), [])
    resource_labels      = optional(map(string), {})
    tags                 = optional(list(string), [])
    secondary_boot_disks = optional(list(string), [])
    image_streaming      = optional(bool, true)
    secure_boot          = optional(bool, true)
    max_pods_per_node    = optional(number)
  })
  nullable = false

  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+\\.iam\\.gserviceaccount\\.com$", var.nodes.service_account))
    error_message = "nodes.service_account must be the e-mail of a service account of your own, such as nodes@my-project-1.iam.gserviceaccount.com; the default one may do too much, or nothing."
  }
  validation {
    condition = length(setintersection(var.nodes.oauth_scopes, [
      "https://www.googleapis.com/auth/cloud-platform",
      "https://www.googleapis.com/auth/devstorage.read_only",
    ])) > 0
    error_message = "nodes.oauth_scopes must contain cloud-platform or devstorage.read_only: nodes pull images, and get GPU drivers, from Cloud Storage."
  }
  validation {
    condition = alltrue([
      for key in keys(var.nodes.labels) :
      !can(regex("^([^/]*\\.)?(cloud\\.google\\.com|gke\\.io|kubernetes\\.io|k8s\\.io)/", key)) ||
      contains(["cloud.google.com/gke-queued", "cloud.google.com/compute-class"], key)
    ])
    error_message = "nodes.labels must not begin with a domain of GKE's or of Kubernetes': cloud.google.com, gke.io, kubernetes.io, k8s.io."
  }
  validation {
    condition = alltrue([
      for key, value in var.nodes.labels :
      can(regex("^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$", key)) &&
      can(regex("^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$", value))
    ])
    error_message = "nodes.labels must be keys and values that Kubernetes takes: at most 63 letters, digits, '-', '_' and '.'."
  }
  validation {
    condition = alltrue([
      for taint in var.nodes.taints :
      contains(["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"], taint.effect)
    ])
    error_message = "nodes.taints must have the effect NO_SCHEDULE, PREFER_NO_SCHEDULE or NO_EXECUTE."
  }
  validation {
    condition = alltrue([
      for taint in var.nodes.taints : !contains(
        ["nvidia.com/gpu", "cloud.google.com/gke-spot", "cloud.google.com/compute-class"], taint.key
      )
    ])
    error_message = "nodes.taints must not repeat what the pool declares itself: nvidia.com/gpu, cloud.google.com/gke-spot, cloud.google.com/compute-class."
  }
  validation {
    condition     = length(var.nodes.secondary_boot_disks) == 0 || var.nodes.image_streaming
    error_message = "nodes.secondary_boot_disks need image_streaming."
  }
  validation {
    condition = length(var.nodes.secondary_boot_disks) <= 127 && alltrue([
      for image in var.nodes.secondary_boot_disks :
      can(regex("^([a-zA-Z0-9/:._-]*/)?global/images/[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", image))
    ])
    error_message = "nodes.secondary_boot_disks must be at most 127 disk images such as global/images/ray-2-60 or projects/PROJECT/global/images/NAME."
  }
  validation {
    condition = var.nodes.max_pods_per_node == null ? true : (
      var.nodes.max_pods_per_node >= 8 && var.nodes.max_pods_per_node <= 256
    )
    error_message = "nodes.max_pods_per_node must be from 8 to 256."
  }
}

variable "upgrades" {
  description = <<-EOT
    How nodes are replaced by newer ones: `strategy` SURGE or BLUE_GREEN, `max_surge` and
    `max_unavailable` at a time. Without, a pool of GPUs replaces one node by one, so that
    it needs no further GPUs, and any other brings the new node first.
  EOT
  type = object({
    strategy        = optional(string, "SURGE")
    max_surge       = optional(number)
    max_unavailable = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["SURGE", "BLUE_GREEN"], var.upgrades.strategy)
    error_message = "upgrades.strategy must be SURGE or BLUE_GREEN."
  }
  validation {
    condition     = var.upgrades.strategy == "SURGE" || (var.upgrades.max_surge == null && var.upgrades.max_unavailable == null)
    error_message = "upgrades.max_surge and max_unavailable go with SURGE only."
  }
  validation {
    condition = alltrue([
      for count in [var.upgrades.max_surge, var.upgrades.max_unavailable] :
      count == null ? true : count >= 0 && floor(count) == count
    ])
    error_message = "upgrades.max_surge and max_unavailable must be whole numbers, at least 0."
  }
}
