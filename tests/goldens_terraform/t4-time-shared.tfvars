project_id = "my-project-1"
cluster    = { name = "ray", location = "europe-west4" }
name       = "t4-time-shared"
zones      = ["europe-west4-b"]
machine    = { type = "n1-standard-16", boot_disk_gib = 80 }
gpu = {
  accelerator = "nvidia-tesla-t4"
  sharing     = { strategy = "TIME_SHARING", max_shared_clients_per_gpu = 8 }
}
autoscaling = { total_max_node_count = 1 }
nodes = {
  service_account = "ray-nodes@my-project-1.iam.gserviceaccount.com"
}
