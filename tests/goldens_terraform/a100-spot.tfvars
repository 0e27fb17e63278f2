project_id   = "my-project-1"
cluster      = { name = "ray", location = "europe-west4" }
name         = "a100-spot"
machine      = { type = "a2-highgpu-1g" }
gpu          = { accelerator = "nvidia-tesla-a100" }
provisioning = { mode = "spot", graceful_shutdown = { seconds = 60, critical_pods_seconds = 10 } }
autoscaling  = { total_max_node_count = 4 }
nodes = {
  service_account = "ray-nodes@my-project-1.iam.gserviceaccount.com"
}
