"""Many sessions, and workers that are replaced under load: `make bench-scale`."""
