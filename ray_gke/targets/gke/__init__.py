"""Google Kubernetes Engine: a cluster that is made for the platform, and its runs."""
