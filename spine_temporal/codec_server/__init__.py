"""A server that decodes payloads for Temporal's web UI and command; extra `codec-server`."""
