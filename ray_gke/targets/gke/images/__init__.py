"""Whether nodes can stream the images of a platform, and what else it takes."""
