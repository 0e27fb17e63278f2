# What must agree across variables. The provider checks none of it; the node pool's
# preconditions name what is wrong.
locals {
  _offer       = var.gpu == null ? null : try(local._accelerators[var.gpu.accelerator], null)
  _partitions  = keys(try(local._offer.partition_sizes, {}))
  _gpu_of_type = lookup(local._machine_types_with_gpu, var.machine.type, null)
  _fractional  = contains(local._fractional_machine_types, var.machine.type)
  _vcpus_of_n1 = try(tonumber(regex(
    "^n1-(?:standard|highmem|highcpu|custom)-([0-9]+)", var.machine.type
  )[0]), null)
  _sharing = try(var.gpu.sharing, null)

  _agreeing_accelerator = var.gpu == null ? local._gpu_of_type == null : (
    local._offer != null && (
      local._gpu_of_type == try(var.gpu.accelerator, null) ||
      (local._gpu_of_type == null && local._vcpus_of_n1 != null && can(local._offer.attach_to_n1))
    )
  )

  # For a machine that has its GPUs, exactly these; for one that gets them, what fits.
  _agreeing_count = var.gpu == null || local._offer == null ? true : try(
    local._offer.machine_types[var.machine.type] == var.gpu.count,
    local._vcpus_of_n1 <= local._offer.attach_to_n1[tostring(var.gpu.count)],
    !local._agreeing_accelerator,
  )

  _sold_as = lookup(local._provisioning_modes, var.machine.type, [var.provisioning.mode])

  _taken_back = contains(["spot", "flex-start"], var.provisioning.mode)
  _waiting    = var.provisioning.mode == "flex-start" || var.provisioning.queued

  # GKE versions that features began with: GKE's release notes and pages of the features.
  _since = {
    "graceful_shutdown" = {
      used = var.provisioning.graceful_shutdown != null, version = "1.35.0-gke.1171000"
    }
    "secondary_boot_disks" = {
      used = length(var.nodes.secondary_boot_disks) > 0, version = "1.28.3-gke.1067000"
    }
    "nvidia-rtx-pro-6000" = {
      used = try(var.gpu.accelerator, "") == "nvidia-rtx-pro-6000", version = "1.34.0-gke.1662000"
    }
    "fractional G4 machines" = { used = local._fractional, version = "1.34.5-gke.1153000" }
  }
  _version_parts = {
    for feature, since in merge(local._since, {
      cluster = { used = true, version = coalesce(var.cluster.version, "1.999") }
    }) : feature => [for part in regexall("[0-9]+", since.version) : tonumber(part)]
  }
  # 1.34 alone is some version of 1.34: it is old enough only if no 1.34 would do.
  _comparable = {
    for feature, parts in local._version_parts : feature => (
      parts[1] * 1000000000000 + try(parts[2], 999) * 100000000 + try(parts[3], 99999999)
    )
  }
  _too_new = [
    for feature, since in local._since : "${feature} (GKE ${since.version})"
    if since.used && local._comparable["cluster"] < local._comparable[feature]
  ]
}
