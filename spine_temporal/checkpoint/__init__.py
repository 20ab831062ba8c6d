"""spine's CheckpointStore on workflow history."""
