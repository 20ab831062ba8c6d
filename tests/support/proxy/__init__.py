"""Proxies that a test puts between a Temporal server and who talks to it."""
