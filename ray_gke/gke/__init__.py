"""What Google Kubernetes Engine does, as data. Everybody who must agree on it calls this."""
