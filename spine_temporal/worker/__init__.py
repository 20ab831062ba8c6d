"""Assembly: agents, workflow and activities become a running process."""
