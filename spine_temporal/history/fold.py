"""A history folded into a ledger, in the order in which the workflow applied its facts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from spine_core import TraceEvent
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.history.event_reader import EventReader
from spine_temporal.history.ordered import Ordered
from spine_temporal.history.payloads import at_s
from spine_temporal.journal.entries import (
    Closed,
    ConversationRestored,
    Entry,
    Requested,
    StatusChanged,
    TurnQueued,
)
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.replacing import copied
from spine_temporal.journal.trace import Event


class Stop(NamedTuple):
    """What the kernel would give a Result for: a turn ended, or paused."""

    ledger: Ledger
    trace: list[TraceEvent]


class _Point(NamedTuple):
    """What a fold has come to before an execution."""

    ordered: Ordered
    """With what had come, and no record had named yet: the execution that follows begins with it."""
    traced: int
    stops: dict[int, Stop]
    segment_began_s: float | None
    segment_at: int
    stopped_at: int
    turns: dict[str, int]


@dataclass(slots=True, eq=False)
class Fold:
    """A ledger growing with the history it is fed; with it the trace, and the stop that each turn came to last.

    `stops` and `turns` are never changed: who has one keeps what was known then.
    """

    converter: DataConverter
    ordered: Ordered = field(default_factory=Ordered)
    trace: list[TraceEvent] = field(default_factory=list)
    stops: dict[int, Stop] = field(default_factory=dict)
    closed: bool = False
    request: RunRequest | None = None
    """What the execution was started with."""
    first_turn: int | None = None
    """The turn that the execution began with."""
    turns: dict[str, int] = field(default_factory=dict)
    """The number of every turn that came by an update, by the update's id: a reset may give it another one."""
    on_entry: Callable[[Entry], None] | None = None
    """Called with every entry."""
    midway: bool = False
    """It is fed from somewhere within an execution, on a ledger that knows what was before."""
    segment_began_s: float | None = None
    """When the turn began or went on, in Unix time; None: that was before what it was fed."""
    _segment_at: int = 0
    _stopped_at: int = 0
    _reader: EventReader = field(init=False)
    _points: "dict[str, _Point]" = field(default_factory=dict)
    """As it was before each execution, by the one that it continues: another that continues the same one took its
    place by a reset, and goes on from there."""

    def __post_init__(self) -> None:
        self._reader = EventReader(self.converter, midway=self.midway)

    @property
    def ledger(self) -> Ledger:
        """All that is known by now."""
        return self.ordered.ledger

    async def feed(self, event: HistoryEvent) -> list[TraceEvent]:
        """Add one event; its trace events."""
        entry = await self._reader.read(event)
        if entry is None:
            return []
        if isinstance(entry, Requested):
            self._begin_execution(entry.request)
        segment = self.ledger.segment
        traced = self.ordered.add(entry)
        self._note(entry)
        if self.segment_began_s is None and isinstance(entry, Requested) and entry.request.carried is None:
            self.segment_began_s = at_s(event)
        if self.ledger.segment != segment:
            if segment or self.segment_began_s is None:
                self.segment_began_s = at_s(event)
            # What came in while the run was stopped belongs to what it then went on with.
            self._segment_at = self._stopped_at
        events = self._numbered(traced, at_s(event))
        turn = self.ledger.progress.turn
        if isinstance(entry, Closed) or (isinstance(entry, StatusChanged) and entry.record.status != "running"):
            self.stops = self.stops | {turn: Stop(self.ordered.settled, self.segment_trace())}
            self._stopped_at = len(self.trace)
            self.closed = isinstance(entry, Closed)
        elif isinstance(entry, StatusChanged):
            # A pause is no stop any more once the turn goes on.
            self.stops = {each: stop for each, stop in self.stops.items() if each != turn}
        return events

    def segment_trace(self) -> list[TraceEvent]:
        """What happened since the turn began or went on, numbered as the kernel would."""
        return [copied(event, seq=number) for number, event in enumerate(self.trace[self._segment_at :])]

    def _begin_execution(self, request: RunRequest) -> None:
        continued = request.carried.run_id if request.carried is not None else ""
        if (point := self._points.get(continued)) is None:
            self._points[continued] = self._point()
            return
        self.ordered, self.stops, self.closed = point.ordered.copy(), point.stops, False
        self.trace = self.trace[: point.traced]
        self.segment_began_s = point.segment_began_s
        self._segment_at, self._stopped_at = point.segment_at, point.stopped_at
        self.turns = point.turns

    def _point(self) -> "_Point":
        return _Point(
            self.ordered.copy(),
            len(self.trace),
            self.stops,
            self.segment_began_s,
            self._segment_at,
            self._stopped_at,
            self.turns,
        )

    def _note(self, entry: Entry) -> None:
        if isinstance(entry, Requested):
            self.request = entry.request
            restoring = entry.request.origin is not None
            self.first_turn = self.first_turn or (None if restoring else 1)
        elif isinstance(entry, ConversationRestored):
            before = entry.progress.turn if entry.progress is not None else 0
            if not entry.same:
                self.first_turn = before + 1
            elif self.first_turn is None:
                self.first_turn = before
                if self.ledger.progress.ending is not None:
                    # It stopped in an execution that this fold has not read; nobody knows the trace.
                    self.stops = self.stops | {before: Stop(self.ledger, [])}
        elif isinstance(entry, TurnQueued):
            self.turns = self.turns | {entry.update_id: entry.receipt.turn}
        if self.on_entry is not None:
            self.on_entry(entry)

    def _numbered(self, traced: Iterable[Event], ts: float) -> list[TraceEvent]:
        first = len(self.trace)
        events = [
            TraceEvent(seq=first + offset, type=event.type, step=event.step, ts=ts, data=event.data)
            for offset, event in enumerate(traced)
        ]
        self.trace += events
        return events
