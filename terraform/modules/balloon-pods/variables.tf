variable "priority_class" {
  description = <<-EOT
    PriorityClass of the balloons, `name` and `value`; one that is there already is not
    made with `create` false. The cluster autoscaler brings no nodes for pods below -10,
    and pods of the default priority, 0, must be able to take a balloon's place.
  EOT
  type = object({
    name   = optional(string, "ray-gke-balloon")
    value  = optional(number, -10)
    create = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.priority_class.value >= -10 && var.priority_class.value <= -1 && floor(var.priority_class.value) == var.priority_class.value
    error_message = "priority_class.value must be from -10 to -1: below, balloons bring no nodes; above, they do not give way."
  }
  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", var.priority_class.name)) && !startswith(var.priority_class.name, "system-")
    error_message = "priority_class.name must be small letters, digits, '-' and '.', and not begin with system-."
  }
}

variable "balloons" {
  description = <<-EOT
    Placeholders, by name: `replicas` pods, each of the size of one worker, whose place it
    keeps. `node_selector`, `node_affinity`, `tolerations`, `cpu`, `memory` and `gpus` are
    those of the worker; where GPUs are shared `gpus` is 1. A balloon that is smaller than
    a worker keeps no room for one; all together must fit on the nodes that the pool may
    have.
  EOT
  type = map(object({
    namespace     = string
    replicas      = optional(number, 0)
    cpu           = string
    memory        = string
    gpus          = optional(number, 0)
    node_selector = optional(map(string), {})
    node_affinity = optional(list(object({
      key      = string
      operator = string
      values   = optional(list(string))
    })), [])
    tolerations = optional(list(object({
      key      = string
      operator = optional(string, "Equal")
      value    = optional(string)
      effect   = optional(string)
    })), [])
    labels = optional(map(string), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for name in keys(var.balloons) : can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", name))
    ])
    error_message = "Names of balloons must be 1 to 63 small letters, digits and '-'."
  }
  validation {
    condition = alltrue([
      for balloon in values(var.balloons) :
      balloon.replicas >= 0 && floor(balloon.replicas) == balloon.replicas &&
      balloon.gpus >= 0 && floor(balloon.gpus) == balloon.gpus
    ])
    error_message = "replicas and gpus of balloons must be whole numbers, at least 0."
  }
  validation {
    condition = alltrue([
      for balloon in values(var.balloons) :
      can(regex("^[0-9]+(\\.[0-9]+)?m?$", balloon.cpu)) &&
      can(regex("^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$", balloon.memory))
    ])
    error_message = "cpu and memory of balloons must be quantities such as 1500m and 9Gi."
  }
  validation {
    condition = alltrue([
      for balloon in values(var.balloons) :
      balloon.gpus == 0 || contains(balloon.tolerations[*].key, "nvidia.com/gpu") || length(balloon.tolerations) == 0
    ])
    error_message = "tolerations of balloons with gpus must have nvidia.com/gpu among them, or be left to GKE."
  }
  validation {
    condition = alltrue([
      for balloon in values(var.balloons) :
      !contains(["time-sharing", "mps"], lookup(balloon.node_selector, "cloud.google.com/gke-gpu-sharing-strategy", "")) || balloon.gpus <= 1
    ])
    error_message = "gpus of a balloon on shared GPUs must be 1: GKE admits no pod with more."
  }
  validation {
    condition = alltrue(flatten([
      for balloon in values(var.balloons) : [
        for term in balloon.node_affinity :
        contains(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], term.operator)
      ]
    ]))
    error_message = "node_affinity operators must be In, NotIn, Exists, DoesNotExist, Gt or Lt."
  }
}

variable "image" {
  description = "An image that does nothing. Nodes without a way out need a copy of it in a registry they reach"
  type        = string
  default     = "registry.k8s.io/pause:3.10"
  nullable    = false
}
