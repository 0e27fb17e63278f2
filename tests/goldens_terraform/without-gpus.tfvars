project_id  = "my-project-1"
cluster     = { name = "ray", location = "europe-west4" }
name        = "without-gpus"
machine     = { type = "e2-standard-8" }
autoscaling = { total_min_node_count = 1, total_max_node_count = 3 }
nodes = {
  service_account = "ray-nodes@my-project-1.iam.gserviceaccount.com"
}
