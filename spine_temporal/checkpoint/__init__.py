"""spine's CheckpointStore on workflow history."""

from spine_temporal.checkpoint.store import TemporalCheckpoint

__all__ = ["TemporalCheckpoint"]
