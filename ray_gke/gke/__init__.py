"""What Google Kubernetes Engine does, as data that all who must agree on it ask."""
