"""A GKE that is not there, for the command line as a user runs it: see README.md."""
