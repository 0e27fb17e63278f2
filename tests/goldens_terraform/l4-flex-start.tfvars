project_id   = "my-project-1"
cluster      = { name = "ray", location = "europe-west4" }
name         = "l4-flex-start"
machine      = { type = "g2-standard-8" }
gpu          = { accelerator = "nvidia-l4" }
provisioning = { mode = "flex-start", max_run_duration = "86400s" }
autoscaling  = { total_max_node_count = 4 }
nodes = {
  service_account = "ray-nodes@my-project-1.iam.gserviceaccount.com"
}
