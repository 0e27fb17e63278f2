"""Registries for tests, and copying between them."""
