"""A plan as documents: Kubernetes manifests, checked before anything else sees them."""
