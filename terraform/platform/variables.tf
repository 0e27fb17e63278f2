variable "project_id" {
  description = "ID of the Google Cloud project"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be the project's ID, such as my-project-1, not its number."
  }
}

variable "region" {
  description = "Region of everything"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region such as europe-west4."
  }
}

variable "zones" {
  description = "Zones of nodes, where a node pool does not say its own; GKE chooses without. A zonal cluster is in the first"
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
  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, "${var.region}-")])
    error_message = "zones must be in the region ${var.region}."
  }
}

variable "apis" {
  description = "Whether the Google APIs that are needed are turned on here. They stay on when everything else is deleted"
  type        = bool
  default     = true
  nullable    = false
}

variable "network" {
  description = "As of the module `network`: `ranges` for a network that is made, `existing` for one that is there; `max_pods_per_node` as of the module `cluster`"
  type = object({
    name              = optional(string)
    max_pods_per_node = optional(number, 110)
    ranges = optional(object({
      nodes    = optional(string)
      pods     = optional(string)
      services = optional(string)
    }), {})
    existing = optional(object({
      network             = string
      subnetwork          = string
      pods_range_name     = string
      services_range_name = string
      network_project_id  = optional(string)
    }))
    nat = optional(object({
      enabled          = optional(bool)
      min_ports_per_vm = optional(number)
      max_ports_per_vm = optional(number)
    }), {})
    flow_logs = optional(number)
  })
  default  = {}
  nullable = false
}

variable "cluster" {
  description = "As of the module `cluster`; `location` is regional or zonal"
  type = object({
    name                 = string
    location             = optional(string, "regional")
    deletion_protection  = bool
    release_channel      = optional(string)
    version              = optional(string)
    autoscaling_profile  = optional(string)
    node_service_account = optional(string)
    control_plane = optional(object({
      dns_external_traffic = optional(bool)
      ip_endpoint = optional(object({
        private             = optional(bool)
        authorized_networks = map(string)
      }))
      rbac_security_group     = optional(string)
      database_encryption_key = optional(string)
    }), {})
    features = optional(object({
      ray_operator           = optional(bool)
      ray_logging            = optional(bool)
      ray_monitoring         = optional(bool)
      gateway_api            = optional(bool)
      gcs_fuse               = optional(bool)
      image_streaming        = optional(bool)
      managed_prometheus     = optional(bool)
      security_posture       = optional(bool)
      vulnerability_scanning = optional(bool)
      cost_allocation        = optional(bool)
      binary_authorization   = optional(bool)
    }), {})
    maintenance = optional(object({
      start_time = optional(string)
      end_time   = optional(string)
      recurrence = optional(string)
      exclusions = optional(map(object({
        start_time = string
        end_time   = string
        scope      = optional(string)
      })))
    }), {})
    system_pool = optional(object({
      machine_type   = optional(string)
      nodes_per_zone = optional(number)
      boot_disk_gib  = optional(number)
      boot_disk_type = optional(string)
    }), {})
  })
  nullable = false

  validation {
    condition     = contains(["regional", "zonal"], var.cluster.location)
    error_message = "cluster.location must be regional or zonal."
  }
  validation {
    condition     = var.cluster.location != "zonal" || length(var.zones) == 1
    error_message = "cluster.location zonal needs exactly one zone in zones."
  }
}

variable "node_pools" {
  description = "Node pools by name, each as of the module `gpu-node-pool`: one for each kind of GPU, and those without"
  type = map(object({
    zones = optional(list(string))
    machine = object({
      type                 = string
      image_type           = optional(string)
      boot_disk_gib        = optional(number)
      boot_disk_type       = optional(string)
      ephemeral_local_ssds = optional(number)
    })
    gpu = optional(object({
      accelerator    = string
      count          = optional(number)
      partition_size = optional(string)
      sharing = optional(object({
        strategy                   = string
        max_shared_clients_per_gpu = number
      }))
      driver_version = optional(string)
    }))
    provisioning = optional(object({
      mode             = optional(string)
      reservation      = optional(string)
      queued           = optional(bool)
      max_run_duration = optional(string)
      graceful_shutdown = optional(object({
        seconds               = number
        critical_pods_seconds = optional(number)
      }))
    }), {})
    autoscaling = object({
      total_min_node_count = optional(number)
      total_max_node_count = number
      initial_node_count   = optional(number)
      location_policy      = optional(string)
    })
    placement = optional(object({
      type        = string
      policy_name = optional(string)
    }))
    nodes = optional(object({
      labels = optional(map(string))
      taints = optional(list(object({
        key    = string
        value  = string
        effect = optional(string)
      })))
      tags                 = optional(list(string))
      secondary_boot_disks = optional(list(string))
      image_streaming      = optional(bool)
      secure_boot          = optional(bool)
    }), {})
    upgrades = optional(object({
      strategy        = optional(string)
      max_surge       = optional(number)
      max_unavailable = optional(number)
    }), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = !contains(keys(var.node_pools), "system")
    error_message = "node_pools must not contain system: the cluster has a pool of this name."
  }
}

variable "image_registry" {
  description = "As of the module `image-registry`; none with `enabled` false. `location` is the region without"
  type = object({
    enabled  = optional(bool, true)
    name     = optional(string)
    location = optional(string)
    images = optional(object({
      enabled        = optional(bool)
      immutable_tags = optional(bool)
    }), {})
    docker_hub = optional(object({
      enabled = optional(bool)
      credentials = optional(object({
        username                = string
        password_secret_version = string
      }))
    }), {})
    upstreams = optional(map(string))
    cleanup = optional(object({
      untagged_days = optional(number)
      pulled_days   = optional(number)
      keep_versions = optional(number)
      dry_run       = optional(bool)
    }), {})
    scanning     = optional(bool)
    writers      = optional(map(string))
    kms_key_name = optional(string)
  })
  default  = {}
  nullable = false
}

variable "labels" {
  description = "Labels in Google Cloud of everything that can have them, for bills"
  type        = map(string)
  default     = {}
  nullable    = false
}
