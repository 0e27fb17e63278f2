"""Google Cloud's own APIs: what a project has, and may."""
