"""Reaching Temporal: settings, client, the embedded server."""
