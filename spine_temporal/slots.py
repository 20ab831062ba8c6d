"""Activity slots of a worker, as whoever waits within one of its activities knows them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Final, Protocol

from temporalio import activity


class Slots(Protocol):
    """Slots that can be lent while their activities wait."""

    def lent(self, task_token: bytes) -> AbstractContextManager[None]:
        """While the body runs, the slot of that activity is another's."""


SLOTS: Final[ContextVar[Slots | None]] = ContextVar("spine_temporal_slots", default=None)
"""Those that the activity in hand has one of; None: there is nothing to lend."""


@contextmanager
def waiting() -> Iterator[None]:
    """While the body runs, the activity that it runs in holds no slot of its worker; outside an activity, nothing."""
    slots = SLOTS.get()
    if slots is None or not activity.in_activity():
        yield
        return
    with slots.lent(activity.info().task_token):
        yield
