variable "project_id" {
  description = "ID of the Google Cloud project"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be the project's ID, such as my-project-1, not its number."
  }
}

variable "name" {
  description = "Name of the cluster"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 40 small letters, digits and '-', beginning with a letter."
  }
}

variable "location" {
  description = "A region, for control planes in several of its zones, or one zone"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+(-([a-z]|ai[0-9][a-z]))?$", var.location))
    error_message = "location must be a region such as europe-west4, or a zone such as europe-west4-a."
  }
}

variable "zones" {
  description = "Zones of the nodes; without, GKE takes three of the region, or the cluster's own"
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must name each zone once."
  }
}

variable "network" {
  description = <<-EOT
    Where the nodes are, as the module `network` returns it: the subnetwork has Private
    Google Access and two secondary ranges. `max_pods_per_node` decides how many
    addresses of the pods' range a node takes: at least twice as many.
  EOT
  type = object({
    network             = string
    subnetwork          = string
    pods_range_name     = string
    services_range_name = string
    max_pods_per_node   = optional(number, 110)
  })
  nullable = false

  validation {
    condition     = var.network.max_pods_per_node >= 8 && var.network.max_pods_per_node <= 256
    error_message = "network.max_pods_per_node must be from 8 to 256."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the cluster. There is no default: say true for a cluster that people depend on, false for one that comes and goes"
  type        = bool
  nullable    = false
}

variable "release" {
  description = "Release `channel`, which brings new versions, and `version`, such as 1.34, where the channel's own is not wanted"
  type = object({
    channel = optional(string, "REGULAR")
    version = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["RAPID", "REGULAR", "STABLE", "EXTENDED"], var.release.channel)
    error_message = "release.channel must be RAPID, REGULAR, STABLE or EXTENDED."
  }
  validation {
    condition     = var.release.version == null || can(regex("^1\\.[0-9]+(\\.[0-9]+(-gke\\.[0-9]+)?)?$", var.release.version))
    error_message = "release.version must be a version of GKE such as 1.34 or 1.34.1-gke.1000."
  }
}

variable "control_plane" {
  description = <<-EOT
    How the control plane is reached. By default through its DNS name only, where IAM
    lets in whom it knows, from outside of Google Cloud too (`dns_external_traffic`).
    `ip_endpoint` opens an address besides: `private`, or for everybody in
    `authorized_networks`. `rbac_security_group` is a group gke-security-groups@DOMAIN
    whose members RBAC may name.
  EOT
  type = object({
    dns_external_traffic = optional(bool, true)
    ip_endpoint = optional(object({
      private             = optional(bool, true)
      authorized_networks = map(string)
    }))
    rbac_security_group     = optional(string)
    database_encryption_key = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition = var.control_plane.ip_endpoint == null ? true : alltrue([
      for range in values(var.control_plane.ip_endpoint.authorized_networks) : can(cidrhost(range, 0))
    ])
    error_message = "control_plane.ip_endpoint.authorized_networks must be ranges such as 198.51.100.0/24."
  }
  validation {
    condition = var.control_plane.ip_endpoint == null ? true : !anytrue([
      for range in values(var.control_plane.ip_endpoint.authorized_networks) : endswith(range, "/0")
    ])
    error_message = "control_plane.ip_endpoint.authorized_networks must not let in the whole internet."
  }
  validation {
    condition     = var.control_plane.rbac_security_group == null || can(regex("^gke-security-groups@", var.control_plane.rbac_security_group))
    error_message = "control_plane.rbac_security_group must be called gke-security-groups@DOMAIN."
  }
  validation {
    condition = var.control_plane.database_encryption_key == null || can(regex(
      "^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.control_plane.database_encryption_key
    ))
    error_message = "control_plane.database_encryption_key must be projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY."
  }
}

variable "node_service_account" {
  description = "E-mail of the nodes' service account. Without, one is made, that may write logs and metrics and stream images, and nothing else"
  type        = string
  default     = null

  validation {
    condition     = var.node_service_account == null || can(regex("^[^@ ]+@[^@ ]+\\.iam\\.gserviceaccount\\.com$", var.node_service_account))
    error_message = "node_service_account must be an e-mail such as nodes@my-project-1.iam.gserviceaccount.com, not the default account's."
  }
}

variable "features" {
  description = <<-EOT
    What GKE runs in the cluster. `ray_operator` is Google's KubeRay, of a version that
    Google chooses, with `ray_logging` and `ray_monitoring`; do not install another beside
    it. `binary_authorization` needs the API of the same name, `vulnerability_scanning`
    the Container Security API.
  EOT
  type = object({
    ray_operator           = optional(bool, false)
    ray_logging            = optional(bool, true)
    ray_monitoring         = optional(bool, true)
    gateway_api            = optional(bool, true)
    gcs_fuse               = optional(bool, true)
    image_streaming        = optional(bool, true)
    managed_prometheus     = optional(bool, true)
    security_posture       = optional(bool, true)
    vulnerability_scanning = optional(bool, false)
    cost_allocation        = optional(bool, true)
    binary_authorization   = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "autoscaling_profile" {
  description = "OPTIMIZE_UTILIZATION removes nodes that are hardly used soon, BALANCED later"
  type        = string
  default     = "OPTIMIZE_UTILIZATION"
  nullable    = false

  validation {
    condition     = contains(["OPTIMIZE_UTILIZATION", "BALANCED"], var.autoscaling_profile)
    error_message = "autoscaling_profile must be OPTIMIZE_UTILIZATION or BALANCED."
  }
}

variable "maintenance" {
  description = <<-EOT
    When GKE may replace nodes: a window from `start_time` to `end_time` that comes again
    by `recurrence`, an RRULE; GKE asks for 48 hours in 32 days. `exclusions` are times
    without.
  EOT
  type = object({
    start_time = optional(string, "2026-01-03T01:00:00Z")
    end_time   = optional(string, "2026-01-03T07:00:00Z")
    recurrence = optional(string, "FREQ=WEEKLY;BYDAY=SA,SU")
    exclusions = optional(map(object({
      start_time = string
      end_time   = string
      scope      = optional(string, "NO_MINOR_OR_NODE_UPGRADES")
    })), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = try(timecmp(var.maintenance.start_time, var.maintenance.end_time) < 0, false)
    error_message = "maintenance.start_time must be before end_time, both such as 2026-01-03T01:00:00Z."
  }
  validation {
    condition     = try(timecmp(timeadd(var.maintenance.start_time, "4h"), var.maintenance.end_time) <= 0, true)
    error_message = "maintenance.end_time must be at least 4 hours after start_time: GKE counts no shorter windows."
  }
  validation {
    condition     = can(regex("^FREQ=(DAILY|WEEKLY|MONTHLY)(;[A-Z]+=[-+A-Z0-9,]+)*$", var.maintenance.recurrence))
    error_message = "maintenance.recurrence must be an RRULE of days, weeks or months, such as FREQ=WEEKLY;BYDAY=SA,SU."
  }
  validation {
    condition = alltrue([
      for exclusion in values(var.maintenance.exclusions) : contains(
        ["NO_UPGRADES", "NO_MINOR_UPGRADES", "NO_MINOR_OR_NODE_UPGRADES"], exclusion.scope
      ) && try(timecmp(exclusion.start_time, exclusion.end_time) < 0, false)
    ])
    error_message = "maintenance.exclusions must have a scope NO_UPGRADES, NO_MINOR_UPGRADES or NO_MINOR_OR_NODE_UPGRADES, and begin before they end."
  }
  validation {
    condition     = length(var.maintenance.exclusions) <= 20
    error_message = "maintenance.exclusions must be at most 20."
  }
}

variable "system_pool" {
  description = <<-EOT
    The nodes of what GKE itself runs, never more or less than `nodes_per_zone`. Only
    what tolerates components.gke.io/gke-managed-components gets there: no Ray pods.
  EOT
  type = object({
    machine_type   = optional(string, "e2-standard-4")
    nodes_per_zone = optional(number, 1)
    boot_disk_gib  = optional(number, 100)
    boot_disk_type = optional(string, "pd-balanced")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.system_pool.nodes_per_zone >= 1 && floor(var.system_pool.nodes_per_zone) == var.system_pool.nodes_per_zone
    error_message = "system_pool.nodes_per_zone must be at least 1: a cluster without nodes brings none."
  }
  validation {
    condition     = !can(regex("^(a2|a3|a4|a4x|g2|g4)-", var.system_pool.machine_type))
    error_message = "system_pool.machine_type must have no GPUs."
  }
}

variable "labels" {
  description = "Labels of the cluster and its nodes in Google Cloud, for bills"
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for key, value in var.labels :
      can(regex("^[a-z][-_a-z0-9]{0,62}$", key)) && can(regex("^[-_a-z0-9]{0,63}$", value)) &&
      !startswith(key, "goog")
    ])
    error_message = "labels must be small letters, digits, '-' and '_', at most 63, and not begin with goog."
  }
}
