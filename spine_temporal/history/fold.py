"""A whole history folded into a ledger with its trace."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError
from spine_core import TraceEvent
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.converter import DataConverter

from spine_temporal.contracts.base import load
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.errors import RunNotFound
from spine_temporal.history.event_reader import Reader, payload_bytes
from spine_temporal.history.follow import first_event, follow
from spine_temporal.history.times import at_s
from spine_temporal.journal.apply import apply, came_back
from spine_temporal.journal.entries import Closed, ConversationRestored, Entry, Requested, StatusChanged
from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.trace import Event


@dataclass(frozen=True, slots=True)
class Stop:
    """What the kernel would give a Result for: a turn ended, or paused."""

    ledger: Ledger
    trace: list[TraceEvent]


@dataclass(slots=True)
class Fold:
    """A ledger growing with the history it is fed; with it the trace, and the stop that each turn came to last."""

    converter: DataConverter
    ledger: Ledger = field(default_factory=Ledger)
    trace: list[TraceEvent] = field(default_factory=list)
    stops: dict[int, Stop] = field(default_factory=dict)
    closed: bool = False
    restoring: bool = False
    """The conversation is still to come back from where it was left."""
    request: RunRequest | None = None
    """What the execution was started with."""
    first_turn: int | None = None
    """The turn that the execution began with."""
    hear: Callable[[Entry], None] | None = None
    """Told every entry."""
    midway: bool = False
    """It is fed from somewhere within an execution, on a ledger that knows what was before."""
    segment_began_s: float | None = None
    """When the turn began or went on, in Unix time; None: that was before what it was fed."""
    _segment_at: int = 0
    _stopped_at: int = 0
    _reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self._reader = Reader(self.converter, midway=self.midway)

    async def feed(self, event: HistoryEvent) -> list[TraceEvent]:
        """Add one event; the trace events that it tells."""
        entry = await self._reader.read(event)
        if entry is None:
            return []
        segment = self.ledger.segment
        self.ledger, told = apply(self.ledger, entry)
        self._note(entry)
        if self.segment_began_s is None and isinstance(entry, Requested) and entry.request.carried is None:
            self.segment_began_s = at_s(event)
        if self.ledger.segment != segment:
            if segment or self.segment_began_s is None:
                self.segment_began_s = at_s(event)
            # What came in while the run stood still belongs to what it then went on with.
            self._segment_at = self._stopped_at
        events = self._numbered(told, at_s(event))
        turn = self.ledger.progress.turn
        if isinstance(entry, Closed) or (isinstance(entry, StatusChanged) and entry.standing.status != "running"):
            self.stops[turn] = Stop(self.ledger, self.segment_trace())
            self._stopped_at = len(self.trace)
            self.closed = isinstance(entry, Closed)
        elif isinstance(entry, StatusChanged):
            # A pause is no stop any more once the turn goes on.
            self.stops.pop(turn, None)
        return events

    def segment_trace(self) -> list[TraceEvent]:
        """What happened since the turn began or went on, numbered as the kernel would."""
        return [event.model_copy(update={"seq": number}) for number, event in enumerate(self.trace[self._segment_at :])]

    def _note(self, entry: Entry) -> None:
        if isinstance(entry, Requested):
            self.request = entry.request
            self.restoring = entry.request.origin is not None
            self.first_turn = self.first_turn or (None if self.restoring else 1)
        elif isinstance(entry, ConversationRestored):
            before = entry.ledger.progress.turn if entry.ledger is not None else 0
            if not entry.same:
                self.first_turn = before + 1
            elif self.first_turn is None:
                self.first_turn = before
                if self.ledger.progress.ending is not None:
                    # It stopped in an execution that this fold has not seen; nobody knows the trace.
                    self.stops[before] = Stop(self.ledger, [])
            self.restoring = False
        if self.hear is not None:
            self.hear(entry)

    def _numbered(self, told: Iterable[Event], ts: float) -> list[TraceEvent]:
        first = len(self.trace)
        events = [
            TraceEvent(seq=first + offset, type=event.type, step=event.step, ts=ts, data=event.data)
            for offset, event in enumerate(told)
        ]
        self.trace += events
        return events


async def fold_run(client: Client, run: tuple[str, str]) -> Fold:
    """The turn in hand as the history tells it now; `run` is workflow id, run id of the latest execution.

    For an activity of that run, that is what it starts from: while it is in flight, nothing enters the conversation.
    """
    workflow_id, run_id = run
    fold = Fold(client.data_converter)
    async for event in follow(client, workflow_id, await turn_run_id(client, workflow_id, run_id), wait=False):
        await fold.feed(event)
    return fold


async def fold_execution(client: Client, run: tuple[str, str]) -> Ledger:
    """The ledger of one execution, without what was told before it.

    While the conversation is still to come from where it was left, it is as it was there.
    """
    workflow_id, run_id = run
    fold = Fold(client.data_converter)
    async for event in follow(client, workflow_id, run_id, wait=False, onward=False):
        await fold.feed(event)
    origin = fold.request.origin if fold.request is not None else None
    if origin is None or origin.step is not None or not fold.restoring:
        return fold.ledger
    try:
        before = await fold_execution(client, (origin.workflow_id, origin.run_id))
    except RunNotFound:
        return fold.ledger
    same = fold.request is not None and fold.request.carried is not None
    return came_back(fold.ledger, ConversationRestored("", before, same=same))


async def fold_to(client: Client, run: tuple[str, str], head: str) -> Ledger:
    """The ledger of one execution when its head was `head`; as it is now, if it never was.

    Of calls side by side, one goes on while others are at work: the history may have led further by now.
    """
    workflow_id, run_id = run
    fold, found = Fold(client.data_converter), None
    async for event in follow(client, workflow_id, run_id, wait=False, onward=False):
        await fold.feed(event)
        if fold.ledger.progress.head == head:
            # Not everything moves a head: a run's opening does not, nor does a decision.
            found = fold.ledger
        elif found is not None:
            break
    return found or fold.ledger


async def turn_run_id(client: Client, workflow_id: str, run_id: str | None) -> str:
    """The execution in which the turn that an execution began with had begun; itself, if that one is gone.

    Raises:
        RunNotFound: there is no such execution.
    """
    event = await first_event(client, workflow_id, run_id)
    started = event.workflow_execution_started_event_attributes
    here = started.original_execution_run_id
    try:
        request = load(RunRequest, await payload_bytes(started.input, client.data_converter))
    except ValidationError:
        # Whoever reads on says what is wrong with it.
        return here
    if request.carried is None:
        return here
    try:
        await first_event(client, workflow_id, request.carried.turn_run_id)
    except RunNotFound:
        return here
    return request.carried.turn_run_id
