locals {
  # GKE adds the GPU's taint only if another pool was there before, and Spot's never to
  # a pool that is made by hand. Without them pods that need no GPU would run here.
  _declared_taints = concat(
    var.gpu == null ? [] : [{ key = "nvidia.com/gpu", value = "present", effect = "NO_SCHEDULE" }],
    var.provisioning.mode != "spot" ? [] : [
      { key = "cloud.google.com/gke-spot", value = "true", effect = "NO_SCHEDULE" }
    ],
    [
      for class in [lookup(var.nodes.labels, "cloud.google.com/compute-class", null)] :
      { key = "cloud.google.com/compute-class", value = class, effect = "NO_SCHEDULE" }
      if class != null
    ],
    var.nodes.taints,
  )

  # GKE does not set this label itself; its autoscaler looks for it.
  _labels = merge(
    var.provisioning.queued ? { "cloud.google.com/gke-queued" = "true" } : {},
    var.nodes.labels,
  )

  _scarce = var.gpu != null || local._taken_back
  _location_policy = coalesce(
    var.autoscaling.location_policy,
    var.provisioning.mode == "reservation" || var.autoscaling.initial_node_count > 0 ? "BALANCED" :
    local._scarce || var.provisioning.queued ? "ANY" : "BALANCED",
  )

  _reservation = (
    var.provisioning.mode == "reservation" ? {
      consume_reservation_type = "SPECIFIC_RESERVATION"
      key                      = "compute.googleapis.com/reservation-name"
      values                   = [var.provisioning.reservation]
    } :
    local._taken_back || var.provisioning.queued ? {
      consume_reservation_type = "NO_RESERVATION", key = null, values = null
    } : null
  )

  # The newest machines have no persistent disks.
  _hyperdisk_only = can(regex("^(a3-ultragpu|a4|a4x|g4)-", var.machine.type))
  _boot_disk_type = coalesce(
    var.machine.boot_disk_type, local._hyperdisk_only ? "hyperdisk-balanced" : "pd-balanced"
  )

  # A surge node would need further GPUs, of which there are often none.
  _max_surge       = coalesce(var.upgrades.max_surge, var.gpu == null ? 1 : 0)
  _max_unavailable = coalesce(var.upgrades.max_unavailable, local._max_surge == 0 ? 1 : 0)
}

resource "google_container_node_pool" "this" {
  #checkov:skip=CKV_GCP_9:Google repairs no nodes that come on request, flex-start and queued; all others are
  #checkov:skip=CKV_GCP_68:On unless nodes.secure_boot says otherwise

  project  = var.project_id
  cluster  = var.cluster.name
  location = var.cluster.location
  name     = var.name

  node_locations    = length(var.zones) == 0 ? null : var.zones
  max_pods_per_node = var.nodes.max_pods_per_node

  # From zero nodes: a pool whose first node is not to be had blocks the cluster for
  # more than half an hour, and costs nothing until it is needed.
  initial_node_count = var.autoscaling.initial_node_count

  autoscaling {
    total_min_node_count = var.autoscaling.total_min_node_count
    total_max_node_count = var.autoscaling.total_max_node_count
    location_policy      = local._location_policy
  }

  management {
    auto_repair  = !local._waiting
    auto_upgrade = true
  }

  # GKE replaces flex-start nodes by a way of its own.
  dynamic "upgrade_settings" {
    for_each = local._waiting ? [] : [var.upgrades.strategy]

    content {
      strategy        = upgrade_settings.value
      max_surge       = upgrade_settings.value == "SURGE" ? local._max_surge : null
      max_unavailable = upgrade_settings.value == "SURGE" ? local._max_unavailable : null
    }
  }

  dynamic "queued_provisioning" {
    for_each = var.provisioning.queued ? [true] : []

    content {
      enabled = true
    }
  }

  dynamic "placement_policy" {
    for_each = var.placement[*]

    content {
      type        = placement_policy.value.type
      policy_name = placement_policy.value.policy_name
    }
  }

  node_config {
    machine_type = var.machine.type
    image_type   = var.machine.image_type
    disk_size_gb = var.machine.boot_disk_gib
    disk_type    = local._boot_disk_type

    service_account = var.nodes.service_account
    oauth_scopes    = var.nodes.oauth_scopes
    labels          = local._labels
    resource_labels = var.nodes.resource_labels
    tags            = var.nodes.tags
    metadata        = { disable-legacy-endpoints = "true" }

    spot             = var.provisioning.mode == "spot"
    flex_start       = var.provisioning.mode == "flex-start" ? true : null
    max_run_duration = var.provisioning.max_run_duration

    dynamic "guest_accelerator" {
      for_each = var.gpu[*]

      content {
        type               = guest_accelerator.value.accelerator
        count              = guest_accelerator.value.count
        gpu_partition_size = guest_accelerator.value.partition_size

        gpu_driver_installation_config {
          gpu_driver_version = guest_accelerator.value.driver_version
        }

        dynamic "gpu_sharing_config" {
          for_each = guest_accelerator.value.sharing[*]

          content {
            gpu_sharing_strategy       = gpu_sharing_config.value.strategy
            max_shared_clients_per_gpu = gpu_sharing_config.value.max_shared_clients_per_gpu
          }
        }
      }
    }

    dynamic "reservation_affinity" {
      for_each = local._reservation[*]

      content {
        consume_reservation_type = reservation_affinity.value.consume_reservation_type
        key                      = reservation_affinity.value.key
        values                   = reservation_affinity.value.values
      }
    }

    dynamic "taint" {
      for_each = local._declared_taints

      content {
        key    = taint.value.key
        value  = taint.value.value
        effect = taint.value.effect
      }
    }

    dynamic "secondary_boot_disks" {
      for_each = var.nodes.secondary_boot_disks

      content {
        disk_image = secondary_boot_disks.value
        mode       = "CONTAINER_IMAGE_CACHE"
      }
    }

    dynamic "ephemeral_storage_local_ssd_config" {
      for_each = var.machine.ephemeral_local_ssds[*]

      content {
        local_ssd_count = ephemeral_storage_local_ssd_config.value
      }
    }

    gcfs_config {
      enabled = var.nodes.image_streaming
    }

    gvnic {
      enabled = true
    }

    shielded_instance_config {
      enable_secure_boot          = var.nodes.secure_boot
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    kubelet_config {
      insecure_kubelet_readonly_port_enabled      = "FALSE"
      shutdown_grace_period_seconds               = try(var.provisioning.graceful_shutdown.seconds, null)
      shutdown_grace_period_critical_pods_seconds = try(var.provisioning.graceful_shutdown.critical_pods_seconds, null)
    }
  }

  lifecycle {
    # Of the beginning only; another number would replace the pool. What GKE changes
    # besides, the version and the count of nodes, is not said here.
    ignore_changes = [initial_node_count]

    precondition {
      condition     = var.gpu == null || local._offer != null
      error_message = "gpu.accelerator ${try(var.gpu.accelerator, "")} is none of GKE's: use one of ${join(", ", keys(local._accelerators))}."
    }
    precondition {
      condition     = local._agreeing_accelerator || (var.gpu != null && local._offer == null)
      error_message = "machine.type ${var.machine.type} ${local._gpu_of_type == null ? "has no GPUs of its own: give gpu.accelerator that can be attached to N1 machines, to such a machine" : "has GPUs of the type ${local._gpu_of_type}: gpu.accelerator must say so"}."
    }
    precondition {
      condition     = local._agreeing_count
      error_message = "gpu.count ${try(var.gpu.count, 0)} does not go with machine.type ${var.machine.type}: ${can(local._offer.machine_types[var.machine.type]) ? "it has ${try(local._offer.machine_types[var.machine.type], 0)}" : "for each count the machine may have at most so many vCPUs: ${jsonencode(try(local._offer.attach_to_n1, {}))}"}."
    }
    precondition {
      condition     = try(var.gpu.partition_size, null) == null || contains(local._partitions, try(coalesce(var.gpu.partition_size), ""))
      error_message = "gpu.partition_size ${try(coalesce(var.gpu.partition_size), "")} is none of GKE's for ${try(var.gpu.accelerator, "")}: ${length(local._partitions) == 0 ? "it cannot be divided by MIG" : "use one of ${join(", ", local._partitions)}"}."
    }
    precondition {
      condition     = !local._fractional || (try(var.gpu.partition_size, null) == null && local._sharing == null)
      error_message = "machine.type ${var.machine.type} has a part of a GPU: it takes neither gpu.partition_size nor gpu.sharing."
    }
    precondition {
      condition     = var.provisioning.queued || contains(local._sold_as, var.provisioning.mode)
      error_message = "machine.type ${var.machine.type} is to be had with provisioning.mode ${join(" or ", local._sold_as)} only."
    }
    precondition {
      condition     = !local._waiting || (var.autoscaling.total_min_node_count == 0 && var.autoscaling.initial_node_count == 0)
      error_message = "flex-start and queued nodes come on request: total_min_node_count and initial_node_count must be 0."
    }
    precondition {
      condition     = var.provisioning.mode != "flex-start" || local._location_policy == "ANY"
      error_message = "autoscaling.location_policy must be ANY for flex-start nodes."
    }
    precondition {
      condition     = local._location_policy != "ANY" || var.autoscaling.initial_node_count == 0
      error_message = "autoscaling.location_policy ANY needs initial_node_count 0."
    }
    precondition {
      condition     = !local._hyperdisk_only || local._boot_disk_type == "hyperdisk-balanced"
      error_message = "machine.boot_disk_type must be hyperdisk-balanced for ${var.machine.type}, which has no persistent disks."
    }
    precondition {
      condition     = var.placement == null || length(var.zones) == 1
      error_message = "placement COMPACT needs exactly one zone."
    }
    precondition {
      condition     = var.placement == null || var.upgrades.strategy == "SURGE"
      error_message = "placement COMPACT does not go with upgrades.strategy BLUE_GREEN."
    }
    precondition {
      condition     = local._max_surge + local._max_unavailable >= 1
      error_message = "upgrades.max_surge and max_unavailable must not both be 0; a pool of GPUs has max_surge 0 where nothing is said."
    }
    precondition {
      condition     = var.autoscaling.initial_node_count * max(1, length(var.zones)) <= var.autoscaling.total_max_node_count
      error_message = "autoscaling.initial_node_count is that of each of the ${length(var.zones)} zones: all together it must not be more than total_max_node_count."
    }
    precondition {
      condition     = alltrue([for zone in var.zones : startswith(zone, regex("^[a-z]+-[a-z]+[0-9]+", var.cluster.location))])
      error_message = "zones must be in the region of the cluster, ${var.cluster.location}."
    }
    precondition {
      condition     = var.machine.image_type == "COS_CONTAINERD" || (!var.nodes.image_streaming && try(var.gpu.driver_version, "") != "LATEST")
      error_message = "machine.image_type must be COS_CONTAINERD for nodes.image_streaming and for gpu.driver_version LATEST."
    }
    precondition {
      condition     = length(local._too_new) == 0
      error_message = "the cluster's version, ${coalesce(var.cluster.version, "any")}, is too old for ${join(", ", local._too_new)}."
    }
  }
}
