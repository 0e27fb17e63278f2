"""Runs on any Kubernetes with KubeRay: the cluster keeps all there is to know."""
