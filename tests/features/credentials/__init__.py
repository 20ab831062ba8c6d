"""API keys and certificates that change under a worker."""
