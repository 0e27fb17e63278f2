locals {
  _host = "${var.location}-docker.pkg.dev/${replace(var.project_id, ":", "/")}"
}

output "images_url" {
  description = "What names of images in the standard repository begin with; null without it"
  value       = var.images.enabled ? "${local._host}/${google_artifact_registry_repository.images[0].repository_id}" : null

  depends_on = [google_artifact_registry_repository_iam_member.readers]
}

output "upstream_urls" {
  description = "The same for each of `upstreams`, by its name"
  value       = { for key in keys(var.upstreams) : key => "${local._host}/${google_artifact_registry_repository.upstreams[key].repository_id}" }

  depends_on = [google_artifact_registry_repository_iam_member.readers]
}

output "docker_hub_url" {
  description = "What to write before a name on Docker Hub, such as rayproject/ray:2.60.0-py311, or library/python:3.11; null without the repository"
  value       = var.docker_hub.enabled ? "${local._host}/${google_artifact_registry_repository.docker_hub[0].repository_id}" : null

  depends_on = [google_artifact_registry_repository_iam_member.readers]
}
