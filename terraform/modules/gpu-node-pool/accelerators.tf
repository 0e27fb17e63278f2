# What Google offers. GKE refuses the rest, but only after minutes, or on the node.
# Sources: Google Cloud "GPU machine types"; GKE "Run multi-instance GPUs";
# kubernetes/autoscaler and container-engine-accelerators, tables of partition sizes.
locals {
  # machine_types: GPUs that the machine has. attach_to_n1: most vCPUs for each count.
  # partition_sizes: instances of one GPU. The device plugin has no 4g sizes, and
  # takes 1g.10gb of an A100 with 40 GB for a size of the one with 80 GB.
  _accelerators = {
    nvidia-tesla-a100 = {
      machine_types = {
        a2-highgpu-1g  = 1, a2-highgpu-2g = 2, a2-highgpu-4g = 4, a2-highgpu-8g = 8,
        a2-megagpu-16g = 16,
      }
      partition_sizes = { "1g.5gb" = 7, "2g.10gb" = 3, "3g.20gb" = 2, "7g.40gb" = 1 }
    }
    nvidia-a100-80gb = {
      machine_types = {
        a2-ultragpu-1g = 1, a2-ultragpu-2g = 2, a2-ultragpu-4g = 4, a2-ultragpu-8g = 8,
      }
      partition_sizes = { "1g.10gb" = 7, "2g.20gb" = 3, "3g.40gb" = 2, "7g.80gb" = 1 }
    }
    nvidia-h100-80gb = {
      machine_types = {
        a3-highgpu-1g = 1, a3-highgpu-2g = 2, a3-highgpu-4g = 4, a3-highgpu-8g = 8,
        a3-edgegpu-8g = 8,
      }
      partition_sizes = {
        "1g.10gb" = 7, "1g.20gb" = 4, "2g.20gb" = 3, "3g.40gb" = 2, "7g.80gb" = 1,
      }
    }
    nvidia-h100-mega-80gb = {
      machine_types = { a3-megagpu-8g = 8 }
      partition_sizes = {
        "1g.10gb" = 7, "1g.20gb" = 4, "2g.20gb" = 3, "3g.40gb" = 2, "7g.80gb" = 1,
      }
    }
    nvidia-h200-141gb = {
      machine_types = { a3-ultragpu-8g = 8 }
      partition_sizes = {
        "1g.18gb" = 7, "1g.35gb" = 4, "2g.35gb" = 3, "3g.71gb" = 2, "7g.141gb" = 1,
      }
    }
    nvidia-b200 = {
      machine_types = { a4-highgpu-8g = 8 }
      partition_sizes = {
        "1g.23gb" = 7, "1g.45gb" = 4, "2g.45gb" = 3, "3g.90gb" = 2, "7g.180gb" = 1,
      }
    }
    nvidia-gb200 = {
      machine_types = { a4x-highgpu-4g = 4 }
      partition_sizes = {
        "1g.23gb" = 7, "1g.47gb" = 4, "2g.47gb" = 3, "3g.93gb" = 2, "7g.186gb" = 1,
      }
    }
    nvidia-gb300 = {
      machine_types   = { a4x-maxgpu-4g-metal = 4 }
      partition_sizes = {}
    }
    nvidia-l4 = {
      machine_types = {
        g2-standard-4  = 1, g2-standard-8 = 1, g2-standard-12 = 1, g2-standard-16 = 1,
        g2-standard-24 = 2, g2-standard-32 = 1, g2-standard-48 = 4, g2-standard-96 = 8,
      }
      partition_sizes = {}
    }
    nvidia-rtx-pro-6000 = {
      machine_types = {
        g4-standard-6  = 1, g4-standard-12 = 1, g4-standard-24 = 1, g4-standard-48 = 1,
        g4-standard-96 = 2, g4-standard-192 = 4, g4-standard-384 = 8,
      }
      partition_sizes = { "1g.24gb" = 4, "2g.48gb" = 2, "4g.96gb" = 1 }
    }
    nvidia-tesla-t4   = { attach_to_n1 = { 1 = 48, 2 = 48, 4 = 96 } }
    nvidia-tesla-v100 = { attach_to_n1 = { 1 = 12, 2 = 24, 4 = 48, 8 = 96 } }
    nvidia-tesla-p100 = { attach_to_n1 = { 1 = 16, 2 = 32, 4 = 96 } }
    nvidia-tesla-p4   = { attach_to_n1 = { 1 = 24, 2 = 48, 4 = 96 } }
  }

  # One of these machines has a part of a GPU, which cannot be divided further.
  _fractional_machine_types = ["g4-standard-6", "g4-standard-12", "g4-standard-24"]

  # Google sells these not as freely as the others.
  _provisioning_modes = {
    a3-highgpu-1g  = ["spot", "flex-start"]
    a3-highgpu-2g  = ["spot", "flex-start"]
    a3-highgpu-4g  = ["spot", "flex-start"]
    a3-ultragpu-8g = ["reservation", "spot", "flex-start"]
    a4-highgpu-8g  = ["reservation", "spot", "flex-start"]
  }

  # The accelerator of each machine type that has its own.
  _machine_types_with_gpu = merge([
    for accelerator, offer in local._accelerators : {
      for machine_type in keys(try(offer.machine_types, {})) : machine_type => accelerator
    }
  ]...)
}
