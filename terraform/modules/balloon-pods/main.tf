resource "kubernetes_priority_class_v1" "this" {
  count = var.priority_class.create ? 1 : 0

  metadata {
    name   = var.priority_class.name
    labels = { "app.kubernetes.io/managed-by" = "ray-gke" }
  }

  value             = var.priority_class.value
  global_default    = false
  preemption_policy = "Never"
}

resource "kubernetes_deployment_v1" "this" {
  #checkov:skip=CKV_K8S_8:The image does nothing that could be asked
  #checkov:skip=CKV_K8S_9:The image does nothing that could be asked
  #checkov:skip=CKV_K8S_10:Requests are those of the worker
  #checkov:skip=CKV_K8S_11:Limits are those of the worker
  #checkov:skip=CKV_K8S_12:Limits are those of the worker
  #checkov:skip=CKV_K8S_13:Requests are those of the worker
  #checkov:skip=CKV_K8S_14:The image is an input, with a tag
  #checkov:skip=CKV_K8S_15:The image is an input, and does not change under its tag
  #checkov:skip=CKV_K8S_43:The image is an input; pause runs nothing of anybody's

  for_each = var.balloons

  metadata {
    name      = each.key
    namespace = each.value.namespace
    labels = merge(each.value.labels, {
      "app.kubernetes.io/managed-by" = "ray-gke"
      "ray-gke/balloon"              = each.key
    })
  }

  # Their place may come much later, or belong to a worker.
  wait_for_rollout = false

  spec {
    replicas = each.value.replicas

    selector {
      match_labels = { "ray-gke/balloon" = each.key }
    }

    # New ones beside the old would bring nodes that are needed for a moment only.
    strategy {
      type = "Recreate"
    }

    template {
      metadata {
        labels      = merge(each.value.labels, { "ray-gke/balloon" = each.key })
        annotations = { "cluster-autoscaler.kubernetes.io/safe-to-evict" = "true" }
      }

      spec {
        priority_class_name              = var.priority_class.name
        termination_grace_period_seconds = 0
        automount_service_account_token  = false
        enable_service_links             = false
        node_selector                    = each.value.node_selector

        dynamic "affinity" {
          for_each = length(each.value.node_affinity) == 0 ? [] : [each.value.node_affinity]

          content {
            node_affinity {
              required_during_scheduling_ignored_during_execution {
                node_selector_term {
                  dynamic "match_expressions" {
                    for_each = affinity.value

                    content {
                      key      = match_expressions.value.key
                      operator = match_expressions.value.operator
                      values   = match_expressions.value.values
                    }
                  }
                }
              }
            }
          }
        }

        dynamic "toleration" {
          for_each = each.value.tolerations

          content {
            key      = toleration.value.key
            operator = toleration.value.operator
            value    = toleration.value.value
            effect   = toleration.value.effect
          }
        }

        security_context {
          run_as_non_root = true
          run_as_user     = "65535"
          run_as_group    = "65535"

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        container {
          name  = "balloon"
          image = var.image

          # Limits too: one balloon that is evicted frees the room of one worker.
          resources {
            requests = local._resources[each.key]
            limits   = local._resources[each.key]
          }

          security_context {
            allow_privilege_escalation = false
            read_only_root_filesystem  = true

            capabilities {
              drop = ["ALL"]
            }
          }
        }
      }
    }
  }

  depends_on = [kubernetes_priority_class_v1.this]
}

locals {
  _resources = {
    for name, balloon in var.balloons : name => merge(
      { cpu = balloon.cpu, memory = balloon.memory },
      balloon.gpus == 0 ? {} : { "nvidia.com/gpu" = tostring(balloon.gpus) },
    )
  }
}
