"""Spinekit's private parts: touched in this room, nowhere else.

Each touch has a test in `tests/rooms/kernel` that fails when spinekit changes what is touched.
"""
