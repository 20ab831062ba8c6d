"""The scale signal: how much work a task queue has."""
