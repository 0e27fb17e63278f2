"""Terraform, driven: two stacks in a working copy, and what becomes of them."""
