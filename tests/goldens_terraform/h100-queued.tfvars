project_id   = "my-project-1"
cluster      = { name = "ray", location = "europe-west4" }
name         = "h100-queued"
machine      = { type = "a3-highgpu-8g" }
gpu          = { accelerator = "nvidia-h100-80gb", count = 8 }
provisioning = { queued = true }
autoscaling  = { total_max_node_count = 4 }
nodes = {
  service_account = "ray-nodes@my-project-1.iam.gserviceaccount.com"
}
