output "kuberay_version" {
  description = "Version of KubeRay's operator that is installed here; null where it is not"
  value       = var.kuberay.install ? helm_release.kuberay_operator["this"].version : null
}

output "namespaces" {
  description = "Namespaces that were made"
  value       = sort([for namespace in kubernetes_namespace_v1.this : namespace.metadata[0].name])
}

output "balloon_priority_class" {
  description = "PriorityClass of the balloons; null without any"
  value       = one(module.balloon_pods[*].priority_class)
}
