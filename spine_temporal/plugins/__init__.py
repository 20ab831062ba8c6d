"""Installed plugins: found, allowed, imported; the projects that name them."""
