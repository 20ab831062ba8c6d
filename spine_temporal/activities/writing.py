"""What the model writes, sent on the heartbeats of its step while it writes it."""

from typing import Final

from spine_temporal.activities.current import Attempt
from spine_temporal.activities.heartbeat import present_heart
from spine_temporal.contracts.progress import Writing

# Every beat carries all of it: the longer the text, the fewer the beats. What is longer still is sent when it is done.
_CHARACTERS_PER_S: Final = 1_000_000
_LONGEST: Final = 250_000


def tell(attempt: Attempt, every_s: float, writing: Writing) -> None:
    """Have a heartbeat say what is written by now, `every_s` after the last one."""
    heart, length = present_heart(), len(writing.written)
    if heart is None or length > _LONGEST:
        return
    attempt.writing = writing
    heart.beat_within(max(every_s, length / _CHARACTERS_PER_S))
