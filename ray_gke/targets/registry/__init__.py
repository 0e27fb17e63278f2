"""Container registries: read images, copy them, by the OCI distribution API."""
