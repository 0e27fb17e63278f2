"""Ray on Kubernetes from one blueprint: on this machine, on any cluster, on GKE."""

__version__ = "0.1.0"
