"""A run's event as its followers get it."""

from spine_core import TraceEvent

from spine_temporal.history.event_id import EventId


class RunEvent(TraceEvent):
    """A trace event of spine's, with the id by which it is found again."""

    id: str
    """Where it stands in the run's history; of a token, which attempt wrote it and how many characters there are by
    then. The same for everybody who reads it, in every process."""


def run_event(id: EventId, event: TraceEvent) -> RunEvent:
    """The event with its id, for one follower alone."""
    return RunEvent(id=str(id), **event.model_copy(deep=True).__dict__)
