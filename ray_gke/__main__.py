"""`python -m ray_gke` is `ray-gke`."""

from ray_gke.cli import main

main()
