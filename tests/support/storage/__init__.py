"""Places outside the server where large payloads are kept."""
