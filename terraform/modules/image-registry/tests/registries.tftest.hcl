# What is made, who may pull, and what images are called.
mock_provider "google" {}

variables {
  project_id = "my-project-1"
  location   = "europe-west4"
  name       = "ray"
  readers    = { nodes = "serviceAccount:nodes@my-project-1.iam.gserviceaccount.com" }
}

run "one_for_images_and_one_for_docker_hub" {
  command = plan

  assert {
    condition = (
      google_artifact_registry_repository.images[0].mode == "STANDARD_REPOSITORY" &&
      google_artifact_registry_repository.docker_hub[0].mode == "REMOTE_REPOSITORY" &&
      google_artifact_registry_repository.docker_hub[0].remote_repository_config[0].docker_repository[0].public_repository == "DOCKER_HUB"
    )
    error_message = "Images stream from standard and remote repositories."
  }
  assert {
    condition     = output.docker_hub_url == "europe-west4-docker.pkg.dev/my-project-1/ray-docker-hub" && output.images_url == "europe-west4-docker.pkg.dev/my-project-1/ray-images"
    error_message = "Names of images begin with location, project and repository."
  }
  assert {
    condition     = toset(keys(google_artifact_registry_repository_iam_member.readers)) == toset(["images/nodes", "docker-hub/nodes"]) && alltrue([for one in google_artifact_registry_repository_iam_member.readers : one.role == "roles/artifactregistry.reader"])
    error_message = "Nodes pull from both."
  }
  assert {
    condition     = keys(google_project_service.this) == ["containerfilesystem.googleapis.com"]
    error_message = "The API of image streaming is on, that of scanning is not."
  }
  assert {
    condition     = google_artifact_registry_repository.images[0].vulnerability_scanning_config[0].enablement_config == "DISABLED"
    error_message = "Scanning costs, and is an option."
  }
}

run "scanning" {
  command = plan

  variables {
    scanning = true
  }

  assert {
    condition     = google_artifact_registry_repository.images[0].vulnerability_scanning_config[0].enablement_config == "INHERITED" && contains(keys(google_project_service.this), "containerscanning.googleapis.com")
    error_message = "Scanning needs its API."
  }
}

run "only_docker_hub" {
  command = plan

  variables {
    images  = { enabled = false }
    writers = { ada = "user:ada@example.com" }
  }

  assert {
    condition     = output.images_url == null && length(google_artifact_registry_repository_iam_member.writers) == 0
    error_message = "Nobody writes to a repository that is not there."
  }
}

run "further_upstreams" {
  command = plan

  variables {
    upstreams = { quay-io = "https://quay.io", ghcr-io = "https://ghcr.io" }
  }

  assert {
    condition = (
      google_artifact_registry_repository.upstreams["quay-io"].mode == "REMOTE_REPOSITORY" &&
      google_artifact_registry_repository.upstreams["quay-io"].format == "DOCKER" &&
      google_artifact_registry_repository.upstreams["quay-io"].remote_repository_config[0].docker_repository[0].custom_repository[0].uri == "https://quay.io"
    )
    error_message = "Images stream from remote repositories, and each has its own upstream."
  }
  assert {
    condition = output.upstream_urls == {
      ghcr-io = "europe-west4-docker.pkg.dev/my-project-1/ray-ghcr-io"
      quay-io = "europe-west4-docker.pkg.dev/my-project-1/ray-quay-io"
    }
    error_message = "A repository is named after its upstream."
  }
  assert {
    condition     = toset(keys(google_artifact_registry_repository_iam_member.readers)) == toset(["images/nodes", "docker-hub/nodes", "ghcr-io/nodes", "quay-io/nodes"])
    error_message = "Nodes pull from all."
  }
}

run "a_domain_scoped_project" {
  command = plan

  variables {
    project_id = "example.com:my-project"
  }

  assert {
    condition     = startswith(output.images_url, "europe-west4-docker.pkg.dev/example.com/my-project/")
    error_message = "In names of images the colon of a project is a slash."
  }
}

run "the_password_stays_in_secret_manager" {
  command = plan

  variables {
    docker_hub = {
      credentials = {
        username                = "ada"
        password_secret_version = "projects/my-project-1/secrets/docker-hub/versions/1"
      }
    }
  }

  assert {
    condition     = google_artifact_registry_repository.docker_hub[0].remote_repository_config[0].upstream_credentials[0].username_password_credentials[0].password_secret_version == "projects/my-project-1/secrets/docker-hub/versions/1"
    error_message = "Terraform knows where the password is, not what it is."
  }
}
