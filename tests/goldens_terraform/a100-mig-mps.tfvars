project_id = "my-project-1"
cluster    = { name = "ray", location = "europe-west4" }
name       = "a100-mig-mps"
machine    = { type = "a2-highgpu-1g" }
gpu = {
  accelerator    = "nvidia-tesla-a100"
  partition_size = "3g.20gb"
  sharing        = { strategy = "MPS", max_shared_clients_per_gpu = 4 }
}
autoscaling = { total_max_node_count = 4 }
nodes = {
  service_account = "ray-nodes@my-project-1.iam.gserviceaccount.com"
}
