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
  description = "Region of the subnetwork"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region such as europe-west4."
  }
}

variable "name" {
  description = "Name of the network, its subnetwork, router and NAT"
  type        = string
  default     = "ray-gke"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,56}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 58 small letters, digits and '-', beginning with a letter."
  }
}

variable "ranges" {
  description = "Address ranges of nodes, pods and services, none of which overlaps another"
  type = object({
    nodes    = optional(string, "10.0.0.0/20")
    pods     = optional(string, "10.4.0.0/14")
    services = optional(string, "10.8.0.0/20")
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for range in values(var.ranges) : can(regex("^[0-9.]+/[0-9]+$", range)) && try(
        cidrhost(range, 0) == split("/", range)[0], false
      )
    ])
    error_message = "ranges must be in CIDR notation, beginning with their first address, such as 10.0.0.0/20."
  }
  validation {
    # Two ranges overlap if both, cut to the larger one's length, are the same.
    condition = try(alltrue([
      for pair in [
        [var.ranges.nodes, var.ranges.pods],
        [var.ranges.nodes, var.ranges.services],
        [var.ranges.pods, var.ranges.services],
        ] : length(distinct([
          for range in pair : cidrhost("${split("/", range)[0]}/${min(
            [for each in pair : tonumber(split("/", each)[1])]...
          )}", 0)
      ])) == 2
    ]), true)
    error_message = "ranges of nodes, pods and services must not overlap."
  }
  validation {
    condition     = try(tonumber(split("/", var.ranges.nodes)[1]) <= 29, true)
    error_message = "ranges.nodes must be /29 or larger."
  }
  validation {
    condition     = try(tonumber(split("/", var.ranges.pods)[1]) <= 28, true)
    error_message = "ranges.pods must be /28 or larger: a node takes at least so many addresses."
  }
  validation {
    condition = try(
      tonumber(split("/", var.ranges.services)[1]) >= 16 && tonumber(split("/", var.ranges.services)[1]) <= 28,
      true
    )
    error_message = "ranges.services must be /16 to /28."
  }
}

variable "existing" {
  description = <<-EOT
    A network that is there already; nothing is made then. Its subnetwork needs Private
    Google Access and the two secondary ranges, and its nodes a way out, such as NAT.
    `network_project_id` is the host project of a Shared VPC.
  EOT
  type = object({
    network             = string
    subnetwork          = string
    pods_range_name     = string
    services_range_name = string
    network_project_id  = optional(string)
  })
  default = null

  validation {
    condition     = var.existing == null ? true : var.existing.pods_range_name != var.existing.services_range_name
    error_message = "existing.pods_range_name and services_range_name must be two ranges."
  }
}

variable "nat" {
  description = "Way out for nodes, which have no addresses of their own: `min_ports_per_vm` to `max_ports_per_vm` connections of a node to one address"
  type = object({
    enabled          = optional(bool, true)
    min_ports_per_vm = optional(number, 64)
    max_ports_per_vm = optional(number, 4096)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for ports in [var.nat.min_ports_per_vm, var.nat.max_ports_per_vm] :
      contains([for power in range(5, 17) : pow(2, power)], ports)
    ]) && var.nat.min_ports_per_vm < var.nat.max_ports_per_vm
    error_message = "nat.min_ports_per_vm must be less than max_ports_per_vm, both powers of two from 32 to 65536."
  }
}

variable "flow_logs" {
  description = "Part of the connections that are logged, from 0 to 1; null for none. Logs cost by volume"
  type        = number
  default     = null

  validation {
    condition     = var.flow_logs == null ? true : var.flow_logs > 0 && var.flow_logs <= 1
    error_message = "flow_logs must be more than 0, and at most 1."
  }
}
