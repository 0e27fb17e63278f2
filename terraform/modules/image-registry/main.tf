locals {
  _day = 86400

  _repositories = merge(
    var.images.enabled ? { images = google_artifact_registry_repository.images[0] } : {},
    var.docker_hub.enabled ? { docker-hub = google_artifact_registry_repository.docker_hub[0] } : {},
    # By keys that are known: an import knows nothing of resources that are not made yet.
    { for key in keys(var.upstreams) : key => google_artifact_registry_repository.upstreams[key] },
  )
}

resource "google_project_service" "this" {
  for_each = toset(concat(
    var.streaming_api ? ["containerfilesystem.googleapis.com"] : [],
    var.scanning ? ["containerscanning.googleapis.com"] : [],
  ))

  project                    = var.project_id
  service                    = each.value
  disable_on_destroy         = false
  disable_dependent_services = false
}

resource "google_artifact_registry_repository" "images" {
  count = var.images.enabled ? 1 : 0

  project                = var.project_id
  location               = var.location
  repository_id          = "${var.name}-images"
  format                 = "DOCKER"
  mode                   = "STANDARD_REPOSITORY"
  kms_key_name           = var.kms_key_name
  labels                 = var.labels
  cleanup_policy_dry_run = var.cleanup.dry_run

  docker_config {
    immutable_tags = var.images.immutable_tags
  }

  cleanup_policies {
    id     = "delete-untagged"
    action = "DELETE"

    condition {
      tag_state  = "UNTAGGED"
      older_than = "${var.cleanup.untagged_days * local._day}s"
    }
  }

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = var.cleanup.keep_versions
    }
  }

  vulnerability_scanning_config {
    enablement_config = var.scanning ? "INHERITED" : "DISABLED"
  }

  depends_on = [google_project_service.this]
}

resource "google_artifact_registry_repository" "docker_hub" {
  count = var.docker_hub.enabled ? 1 : 0

  project                = var.project_id
  location               = var.location
  repository_id          = "${var.name}-docker-hub"
  format                 = "DOCKER"
  mode                   = "REMOTE_REPOSITORY"
  kms_key_name           = var.kms_key_name
  labels                 = var.labels
  cleanup_policy_dry_run = var.cleanup.dry_run

  remote_repository_config {
    docker_repository {
      public_repository = "DOCKER_HUB"
    }

    dynamic "upstream_credentials" {
      for_each = var.docker_hub.credentials[*]

      content {
        username_password_credentials {
          username                = upstream_credentials.value.username
          password_secret_version = upstream_credentials.value.password_secret_version
        }
      }
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      tag_state  = "ANY"
      older_than = "${var.cleanup.pulled_days * local._day}s"
    }
  }

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = var.cleanup.keep_versions
    }
  }

  vulnerability_scanning_config {
    enablement_config = var.scanning ? "INHERITED" : "DISABLED"
  }

  depends_on = [google_project_service.this]
}

resource "google_artifact_registry_repository" "upstreams" {
  for_each = var.upstreams

  project                = var.project_id
  location               = var.location
  repository_id          = "${var.name}-${each.key}"
  format                 = "DOCKER"
  mode                   = "REMOTE_REPOSITORY"
  kms_key_name           = var.kms_key_name
  labels                 = var.labels
  cleanup_policy_dry_run = var.cleanup.dry_run

  remote_repository_config {
    docker_repository {
      custom_repository {
        uri = each.value
      }
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      tag_state  = "ANY"
      older_than = "${var.cleanup.pulled_days * local._day}s"
    }
  }

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = var.cleanup.keep_versions
    }
  }

  vulnerability_scanning_config {
    enablement_config = var.scanning ? "INHERITED" : "DISABLED"
  }

  depends_on = [google_project_service.this]
}

resource "google_artifact_registry_repository_iam_member" "readers" {
  for_each = merge([
    for key, repository in local._repositories : {
      for reader, member in var.readers : "${key}/${reader}" => {
        repository = repository.repository_id, member = member
      }
    }
  ]...)

  project    = var.project_id
  location   = var.location
  repository = each.value.repository
  role       = "roles/artifactregistry.reader"
  member     = each.value.member
}

resource "google_artifact_registry_repository_iam_member" "writers" {
  for_each = var.images.enabled ? var.writers : {}

  project    = var.project_id
  location   = var.location
  repository = google_artifact_registry_repository.images[0].repository_id
  role       = "roles/artifactregistry.writer"
  member     = each.value
}
