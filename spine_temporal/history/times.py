"""When a history event was recorded."""

from temporalio.api.history.v1 import HistoryEvent


def at_s(event: HistoryEvent) -> float:
    """Seconds of the server's clock, since 1970."""
    return event.event_time.ToNanoseconds() / 1e9
