"""Which stop of a run somebody knows who waits for the next."""

from dataclasses import dataclass

from spine_temporal.journal.progress import Progress


@dataclass(frozen=True, slots=True)
class StatusCursor:
    """What somebody knows of a run who waits for what comes later."""

    number: int = 0
    """Of the last stop."""
    subagent: str = ""
    """Position of the subagent that has just been answered."""
    subagent_number: int = 0
    """Of that subagent's status then: a stop at which it still waits there is an old one."""

    def is_old(self, progress: Progress) -> bool:
        """Whether a stop is one that was known."""
        calls = progress.calls
        known = (
            (each for at, each in enumerate(calls.items) if str(calls.position(at)) == self.subagent) if calls else ()
        )
        call = next(iter(known), None)
        subagent = call.subagent if call is not None and not call.finished else None
        waits_there = subagent is not None and subagent.status != "over" and subagent.number <= self.subagent_number
        return waits_there or progress.status_number <= self.number
