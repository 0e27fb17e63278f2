# Both take from the environment what is not said here: KUBE_TOKEN, or KUBE_CONFIG_PATH
# and KUBE_CTX. So no token is in a variable, a plan or a state.
locals {
  _ca_certificate = var.kube_config.cluster_ca_certificate == null ? null : base64decode(var.kube_config.cluster_ca_certificate)
}

provider "kubernetes" {
  host                   = var.kube_config.host
  cluster_ca_certificate = local._ca_certificate
  config_path            = var.kube_config.config_path
  config_context         = var.kube_config.config_context
}

provider "helm" {
  kubernetes = {
    host                   = var.kube_config.host
    cluster_ca_certificate = local._ca_certificate
    config_path            = var.kube_config.config_path
    config_context         = var.kube_config.config_context
  }
}
