project_id  = "my-project-1"
cluster     = { name = "ray", location = "europe-west4" }
name        = "l4"
zones       = ["europe-west4-a"]
machine     = { type = "g2-standard-16", boot_disk_gib = 80, boot_disk_type = "pd-ssd" }
gpu         = { accelerator = "nvidia-l4", driver_version = "LATEST" }
autoscaling = { total_min_node_count = 1, total_max_node_count = 2 }
nodes = {
  service_account = "ray-nodes@my-project-1.iam.gserviceaccount.com"
}
