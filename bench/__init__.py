"""Speed and memory beside peers, in the same run, as ratios: `make bench`."""
