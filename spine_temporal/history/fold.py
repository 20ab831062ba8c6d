"""A whole history folded into a ledger with its trace."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from spine_core import TraceEvent
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.converter import DataConverter

from spine_temporal.history.follow import follow
from spine_temporal.history.reader import Reader
from spine_temporal.journal.ledger import Ledger, apply
from spine_temporal.journal.trace import Event


@dataclass(slots=True)
class Fold:
    """A ledger growing with the history it is fed."""

    converter: DataConverter
    ledger: Ledger = field(default_factory=Ledger)
    trace: list[TraceEvent] = field(default_factory=list)
    _reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self._reader = Reader(self.converter)

    async def feed(self, event: HistoryEvent) -> list[TraceEvent]:
        """Add one event; the trace events that it tells."""
        entry = await self._reader.read(event)
        if entry is None:
            return []
        self.ledger, told = apply(self.ledger, entry)
        return self._numbered(told, event.event_time.ToNanoseconds() / 1e9)

    def _numbered(self, told: Iterable[Event], at_s: float) -> list[TraceEvent]:
        first = len(self.trace)
        events = [
            TraceEvent(seq=first + offset, type=event.type, step=event.step, ts=at_s, data=event.data)
            for offset, event in enumerate(told)
        ]
        self.trace += events
        return events


async def fold_run(client: Client, run: tuple[str, str]) -> Fold:
    """The run as its history tells it now; `run` is workflow id, run id.

    For an activity of that run, that is what it starts from: while it is in flight, nothing enters the conversation.
    """
    workflow_id, run_id = run
    fold = Fold(client.data_converter)
    async for event in follow(client, workflow_id, run_id, wait=False):
        await fold.feed(event)
    return fold
