variable "project_id" {
  description = "ID of the Google Cloud project"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be the project's ID, such as my-project-1, not its number."
  }
}

variable "location" {
  description = "Where images are: the region of the nodes, so that they stream, or the multi-region around it"
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z]+-[a-z]+[0-9]+|us|europe|asia)$", var.location))
    error_message = "location must be a region such as europe-west4, or us, europe or asia."
  }
}

variable "name" {
  description = "What the names of the repositories begin with"
  type        = string
  default     = "ray-gke"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 52 small letters, digits and '-', beginning with a letter."
  }
}

variable "images" {
  description = "The standard repository, for images of your own and copies of others. With `immutable_tags` a tag, once pushed, stays what it is"
  type = object({
    enabled        = optional(bool, true)
    immutable_tags = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "docker_hub" {
  description = <<-EOT
    The pull-through repository for Docker Hub, which keeps what was pulled once. With
    `credentials` it is not held to the limit of anonymous pulls: a user, and the version
    of a secret in Secret Manager that holds the password. The password itself is nowhere
    in Terraform.
  EOT
  type = object({
    enabled = optional(bool, true)
    credentials = optional(object({
      username                = string
      password_secret_version = string
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition = try(var.docker_hub.credentials, null) == null ? true : can(regex(
      "^projects/[^/]+/secrets/[^/]+/versions/[^/]+$", var.docker_hub.credentials.password_secret_version
    ))
    error_message = "docker_hub.credentials.password_secret_version must be projects/PROJECT/secrets/NAME/versions/VERSION, not a password."
  }
}

variable "upstreams" {
  description = "Further pull-through repositories, for public registries beside Docker Hub: how the name ends, and the address that is pulled from, such as `quay-io = \"https://quay.io\"`"
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for key in keys(var.upstreams) :
      can(regex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", key)) && !contains(["images", "docker-hub"], key)
    ])
    error_message = "Names of upstreams must be small letters, digits and '-'; images and docker-hub have their own variables."
  }
  validation {
    # The longest name that Artifact Registry takes has 63 characters.
    condition     = alltrue([for key in keys(var.upstreams) : length("${var.name}-${key}") <= 63])
    error_message = "name and the name of an upstream must have at most 62 characters together."
  }
  validation {
    condition     = alltrue([for uri in values(var.upstreams) : can(regex("^https://[a-z0-9.-]+(:[0-9]+)?$", uri))])
    error_message = "upstreams must be addresses such as https://quay.io, without a path."
  }
}

variable "cleanup" {
  description = <<-EOT
    What is deleted: images without a tag after `untagged_days`, and what was pulled
    through after `pulled_days`; it is fetched again when it is needed. The newest
    `keep_versions` of each image stay. With `dry_run` it is only written to the audit log.
  EOT
  type = object({
    untagged_days = optional(number, 30)
    pulled_days   = optional(number, 90)
    keep_versions = optional(number, 5)
    dry_run       = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for number in [var.cleanup.untagged_days, var.cleanup.pulled_days, var.cleanup.keep_versions] :
      number >= 1 && floor(number) == number
    ])
    error_message = "cleanup's numbers must be whole, and at least 1."
  }
}

variable "scanning" {
  description = "Whether images are scanned for known vulnerabilities. Google bills each image; the API containerscanning.googleapis.com is turned on"
  type        = bool
  default     = false
  nullable    = false
}

variable "readers" {
  description = "Who pulls, by a name that stays: `nodes = \"serviceAccount:…\"`"
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for member in values(var.readers) :
      can(regex("^(user|group|serviceAccount|domain|principal|principalSet):", member))
    ])
    error_message = "readers must be members of IAM such as serviceAccount:nodes@my-project-1.iam.gserviceaccount.com; everybody is none."
  }
}

variable "writers" {
  description = "Who pushes to the standard repository, as `readers`"
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([
      for member in values(var.writers) :
      can(regex("^(user|group|serviceAccount|domain|principal|principalSet):", member))
    ])
    error_message = "writers must be members of IAM such as user:ada@example.com; everybody is none."
  }
}

variable "streaming_api" {
  description = "Whether the API of image streaming is turned on here"
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_name" {
  description = "Key of Cloud KMS that the repositories are encrypted with; Google's own without"
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of the repositories in Google Cloud, for bills"
  type        = map(string)
  default     = {}
  nullable    = false
}
