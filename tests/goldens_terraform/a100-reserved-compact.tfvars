project_id   = "my-project-1"
cluster      = { name = "ray", location = "europe-west4" }
name         = "a100-reserved-compact"
zones        = ["europe-west4-a"]
machine      = { type = "a2-ultragpu-8g", ephemeral_local_ssds = 8 }
gpu          = { accelerator = "nvidia-a100-80gb", count = 8 }
provisioning = { mode = "reservation", reservation = "training" }
placement    = { type = "COMPACT" }
autoscaling  = { total_max_node_count = 4 }
nodes = {
  service_account      = "ray-nodes@my-project-1.iam.gserviceaccount.com"
  secondary_boot_disks = ["projects/my-project-1/global/images/ray-2-60"]
  labels               = { team = "vision" }
}
