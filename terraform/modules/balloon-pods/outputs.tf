output "priority_class" {
  description = "Name of the balloons' PriorityClass"
  value       = var.priority_class.name

  depends_on = [kubernetes_priority_class_v1.this]
}

output "replicas" {
  description = "Balloons of all kinds"
  value       = sum(concat([0], values(var.balloons)[*].replicas))
}
