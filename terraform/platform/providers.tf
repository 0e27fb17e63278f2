# Credentials are those of the environment: Application Default Credentials, or
# GOOGLE_OAUTH_ACCESS_TOKEN. None is written into a plan or a state.
provider "google" {
  project = var.project_id
  region  = var.region
}
