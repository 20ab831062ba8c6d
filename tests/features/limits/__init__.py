"""Sizes: what fits, and what becomes of what does not."""
