"""Assembly: agents, workflow, activities become a running process."""
