variable "kube_config" {
  description = <<-EOT
    Where the cluster is: its `host`, with the token in the environment as KUBE_TOKEN, and
    the certificate of its authority, base64, where that is not a public one; or a
    kubeconfig, `config_path` and `config_context`. Without either, the environment says
    it: KUBE_CONFIG_PATH and KUBE_CTX.
  EOT
  type = object({
    host                   = optional(string)
    cluster_ca_certificate = optional(string)
    config_path            = optional(string)
    config_context         = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.kube_config.host == null || can(regex("^https://", var.kube_config.host))
    error_message = "kube_config.host must begin with https://."
  }
  validation {
    condition     = var.kube_config.host == null || var.kube_config.config_path == null
    error_message = "kube_config takes host or config_path, not both."
  }
  validation {
    condition     = var.kube_config.cluster_ca_certificate == null || can(base64decode(var.kube_config.cluster_ca_certificate))
    error_message = "kube_config.cluster_ca_certificate must be base64, as GKE and kubeconfigs have it."
  }
}

variable "kuberay" {
  description = <<-EOT
    KubeRay's operator, from its Helm chart of exactly this `version`; `install` false where
    GKE runs its own, or somebody else does. Its `namespace` is made, but for one that is
    there already: `create_namespace` false. `repository` is where the chart is. The
    custom resource definitions are those of the same chart, brought to its version each
    time; they stay when everything else goes (`keep_crds`), for with them every Ray
    cluster would go. `values` are further ones for the chart, in YAML.
  EOT
  type = object({
    install          = optional(bool, true)
    version          = optional(string, "1.5.1")
    namespace        = optional(string, "kuberay-system")
    create_namespace = optional(bool, true)
    repository       = optional(string, "https://ray-project.github.io/kuberay-helm/")
    image            = optional(string)
    keep_crds        = optional(bool, true)
    values           = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?$", var.kuberay.version))
    error_message = "kuberay.version must be one version such as 1.5.1, not a range."
  }
  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.kuberay.namespace))
    error_message = "kuberay.namespace must be 1 to 63 small letters, digits and '-'."
  }
  validation {
    condition     = can(regex("^(https|oci)://", var.kuberay.repository)) || can(regex("^[./]", var.kuberay.repository))
    error_message = "kuberay.repository must begin with https:// or oci://, or be a folder."
  }
  validation {
    condition     = var.kuberay.values == null || can(keys(yamldecode(var.kuberay.values)))
    error_message = "kuberay.values must be a mapping in YAML."
  }
  validation {
    condition     = var.kuberay.image == null || can(regex("^[^ :@]+(:[0-9]+/[^ :@]+)?:[^ :@/]+$", var.kuberay.image))
    error_message = "kuberay.image must be an image with its tag, such as quay.io/kuberay/operator:v1.5.1."
  }
}

variable "namespaces" {
  description = <<-EOT
    Namespaces that are made, by name. `pod_security` is the level that is enforced.
    `quota` limits what all pods in it may request together, such as
    `{"requests.nvidia.com/gpu" = "8"}`.
  EOT
  type = map(object({
    pod_security = optional(string, "restricted")
    labels       = optional(map(string), {})
    quota        = optional(map(string), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for name in keys(var.namespaces) :
      can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", name)) &&
      !startswith(name, "kube-") && name != "default"
    ])
    error_message = "namespaces must be 1 to 63 small letters, digits and '-', and none of Kubernetes' own."
  }
  validation {
    condition = alltrue([
      for namespace in values(var.namespaces) :
      contains(["privileged", "baseline", "restricted"], namespace.pod_security)
    ])
    error_message = "pod_security must be privileged, baseline or restricted."
  }
  validation {
    condition = alltrue(flatten([
      for namespace in values(var.namespaces) : [
        for amount in values(namespace.quota) : can(regex("^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$", amount))
      ]
    ]))
    error_message = "Amounts of a quota must be quantities such as 8, 1500m or 64Gi."
  }
  validation {
    # Kubernetes refuses limits of extended resources: they cannot be overcommitted.
    condition = !anytrue(flatten([
      for namespace in values(var.namespaces) : [
        for name in keys(namespace.quota) : name == "nvidia.com/gpu" || name == "limits.nvidia.com/gpu"
      ]
    ]))
    error_message = "The quota of GPUs is called requests.nvidia.com/gpu."
  }
}

variable "priority_classes" {
  description = "Priority classes that are made, by name; pods without one have the priority 0"
  type = map(object({
    value             = number
    preemption_policy = optional(string, "PreemptLowerPriority")
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for class in values(var.priority_classes) :
      class.value >= -10 && class.value <= 1000000000 && floor(class.value) == class.value
    ])
    error_message = "value of a priority class must be from -10, below which pods bring no nodes, to 1000000000."
  }
  validation {
    condition = alltrue([
      for class in values(var.priority_classes) :
      contains(["PreemptLowerPriority", "Never"], class.preemption_policy)
    ])
    error_message = "preemption_policy must be PreemptLowerPriority or Never."
  }
  validation {
    condition = alltrue([
      for name in keys(var.priority_classes) :
      can(regex("^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", name)) && !startswith(name, "system-")
    ])
    error_message = "Names of priority classes must be small letters, digits, '-' and '.', and not begin with system-."
  }
}

variable "balloons" {
  description = "As of the module `balloon-pods`: placeholders that keep nodes ready, by name"
  type = map(object({
    namespace     = string
    replicas      = optional(number)
    cpu           = string
    memory        = string
    gpus          = optional(number)
    node_selector = optional(map(string))
    node_affinity = optional(list(object({
      key      = string
      operator = string
      values   = optional(list(string))
    })))
    tolerations = optional(list(object({
      key      = string
      operator = optional(string)
      value    = optional(string)
      effect   = optional(string)
    })))
    labels = optional(map(string))
  }))
  default  = {}
  nullable = false
}

variable "balloon_image" {
  description = "Image of the balloons, where nodes do not reach the module's own"
  type        = string
  default     = null
}
