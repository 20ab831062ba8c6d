"""A history folded into a ledger, in the order in which the workflow applied its facts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from spine_core import TraceEvent
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from spine_temporal.contracts.base import Basis
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.history.event_reader import EventReader, MissedItsBeginning
from spine_temporal.history.payloads import at_s
from spine_temporal.journal.apply import apply
from spine_temporal.journal.counters import advance
from spine_temporal.journal.entries import (
    Closed,
    ConversationRestored,
    Entry,
    Fact,
    Requested,
    StatusChanged,
    StepBegun,
    ToolBegun,
    basis_of,
)
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.trace import Event


@dataclass(frozen=True, slots=True)
class Stop:
    """What the kernel would give a Result for: a turn ended, or paused."""

    ledger: Ledger
    trace: list[TraceEvent]


@dataclass(slots=True)
class Ordered:
    """A ledger to which facts come in the history's order, and that follows the workflow's own.

    What a record of the workflow's names is `settled`; what has come since is applied as it comes, and once more, in
    its true order, should the next record say that it was another one.
    """

    settled: Ledger = field(default_factory=Ledger)
    ledger: Ledger = field(default_factory=Ledger)
    """The settled one with all that has come since."""
    wanted: str | None = None
    """The revision that somebody looks for."""
    found: Ledger | None = None
    """The ledger at that revision."""
    complete: bool = True
    """False: it is fed from somewhere within a history, and may meet what it cannot know."""
    _tail: list[Fact] = field(default_factory=list)

    def add(self, entry: Entry) -> list[Event]:
        """Apply one more entry; its trace events.

        Raises:
            MissedItsBeginning: a record names what was not read.
        """
        if isinstance(entry, Requested):
            return self._begin(entry)
        if isinstance(entry, Closed):
            # Nothing follows; what the workflow had not taken in by then, it will not.
            self.settled, self._tail = self.ledger, []
        basis = basis_of(entry)
        if basis is not None:
            self._settle(basis)
        elif not isinstance(entry, Closed | StepBegun | ToolBegun):
            self.ledger, events = apply(self.ledger, entry)
            self._tail.append(entry)
            self._look(self.ledger)
            return events
        # What the workflow wrote itself comes right behind what it names.
        self.settled, events = apply(self.settled, entry)
        self._look(self.settled)
        self.ledger = self._replayed(self.settled, self._tail)
        return events

    def _begin(self, entry: Requested) -> list[Event]:
        carried = entry.request.carried
        if carried is not None and self.ledger.agent:
            self._settle(carried)
        self.settled, events = apply(self.settled, entry)
        self.ledger, self._tail = self.settled, []
        self._look(self.settled)
        return events

    def _settle(self, basis: Basis) -> None:
        if basis.revision == self.ledger.progress.revision:
            self.settled, self._tail = self.ledger, []
            return
        if basis.revision == self.settled.progress.revision:
            return
        by_id = {fact.id: fact for fact in self._tail}
        named = basis.order or self._only(basis.revision)
        try:
            order = [by_id.pop(id_) for id_ in named]
        except KeyError as missing:
            raise MissedItsBeginning(f"the entry {missing} was not read") from None
        self.settled = self._replayed(self.settled, order)
        if self.settled.progress.revision != basis.revision:
            raise MissedItsBeginning(f"the history does not lead to revision {basis.revision!r}")
        self._tail = list(by_id.values())

    def _only(self, revision: str) -> tuple[str, ...]:
        """The one fact that leads from the settled revision to this one."""
        settled = self.settled.progress.revision
        return tuple(fact.id for fact in self._tail if advance(settled, fact.id) == revision)[:1]

    def _replayed(self, ledger: Ledger, facts: Iterable[Fact]) -> Ledger:
        for fact in facts:
            ledger, _ = apply(ledger, fact)
            self._look(ledger)
        return ledger

    def _look(self, ledger: Ledger) -> None:
        if self.found is None and self.wanted is not None and ledger.progress.revision == self.wanted:
            self.found = ledger


@dataclass(slots=True)
class Fold:
    """A ledger growing with the history it is fed; with it the trace, and the stop that each turn came to last."""

    converter: DataConverter
    ordered: Ordered = field(default_factory=Ordered)
    trace: list[TraceEvent] = field(default_factory=list)
    stops: dict[int, Stop] = field(default_factory=dict)
    closed: bool = False
    request: RunRequest | None = None
    """What the execution was started with."""
    first_turn: int | None = None
    """The turn that the execution began with."""
    on_entry: Callable[[Entry], None] | None = None
    """Called with every entry."""
    midway: bool = False
    """It is fed from somewhere within an execution, on a ledger that knows what was before."""
    segment_began_s: float | None = None
    """When the turn began or went on, in Unix time; None: that was before what it was fed."""
    _segment_at: int = 0
    _stopped_at: int = 0
    _reader: EventReader = field(init=False)
    _before: "tuple[Ordered, int, dict[int, Stop]] | None" = None
    """As it was before the execution in hand: one that was reset is taken back to there."""

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
            self._begin_execution()
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
            self.stops[turn] = Stop(self.ordered.settled, self.segment_trace())
            self._stopped_at = len(self.trace)
            self.closed = isinstance(entry, Closed)
        elif isinstance(entry, StatusChanged):
            # A pause is no stop any more once the turn goes on.
            self.stops.pop(turn, None)
        return events

    def segment_trace(self) -> list[TraceEvent]:
        """What happened since the turn began or went on, numbered as the kernel would."""
        return [event.model_copy(update={"seq": number}) for number, event in enumerate(self.trace[self._segment_at :])]

    def _begin_execution(self) -> None:
        if self.closed and self._before is not None:
            # Another execution begins behind one that was closed: a reset took that one's place.
            # With what had come, and no record had named yet: the execution that follows begins with it.
            self.ordered, length, stops = self._before
            self.trace, self.stops, self.closed = self.trace[:length], dict(stops), False
            self._stopped_at = min(self._stopped_at, length)
            self._segment_at = min(self._segment_at, length)
        kept = self.ordered
        before = Ordered(kept.settled, kept.ledger, kept.wanted, _tail=list(kept._tail))  # noqa: SLF001 - its own kind
        self._before = (before, len(self.trace), dict(self.stops))

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
                    self.stops[before] = Stop(self.ledger, [])
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
