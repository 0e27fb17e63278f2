"""A real Kubernetes for tests, on one machine and without Docker: see README.md."""
