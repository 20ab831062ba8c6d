"""A history that is read once, while it grows, for everybody who follows it."""

import asyncio
import functools
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Final

from spine_core import TraceEvent
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.pacing import until_next_beat_s
from spine_temporal.client.reading_along import Identified, Written, identified, writing_of
from spine_temporal.client.server_errors import failed_run
from spine_temporal.client.shared_call import SharedCall
from spine_temporal.contracts import names
from spine_temporal.contracts.step import StepOutcome
from spine_temporal.contracts.turn import StreamRequest
from spine_temporal.errors import RunNotFound, ServerUnreachable
from spine_temporal.history.event_id import Branch
from spine_temporal.history.fold import Fold, Stop
from spine_temporal.history.follow import describe, follow
from spine_temporal.journal.entries import Entry, StepBegun, StepDone
from spine_temporal.journal.ledger import Member
from spine_temporal.journal.progress import Progress
from spine_temporal.payloads import pack

_log = logging.getLogger(__name__)

_FAILED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED

type Joined = tuple[str, int] | None
"""The latest execution when somebody joined, and its last event; None: the reader has found that out by itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was known of a run after an event that became an entry."""

    traced: tuple[Identified, ...]
    """The trace events that it added."""
    present: bool
    """It is all there was; else there is more in the history already."""
    place: tuple[int, int]
    """Which execution it is in, which of its events it is."""
    branch: str
    """Under which run id that event came into being."""
    progress: Progress
    members: tuple[Member, ...]
    """Those of a team that have begun."""
    stops: dict[int, Stop]
    """The stop that each turn came to last."""
    turns: dict[str, int]
    """The numbers of the turns that came by updates, by the update's id."""
    first_turn: int | None
    """The turn that the first execution began with."""
    closed: bool
    written: Written | None = None
    """What the step wrote that this event ended."""
    writing: Written | None = None
    """What the step in hand has written by now; it adds no trace event."""


class LiveHistory:
    """The history of a run from the execution `start` on, through those that continue it or take its place."""

    def __init__(self, client: Client, workflow_id: str, start: str) -> None:
        self.followers = 0
        self._client = client
        self._workflow_id = workflow_id
        self.start = start
        self._reader: asyncio.Task[None] | None = None
        self._readings: list[Reading] = []
        self._executions: list[str] = []
        self._branch = Branch(start)
        self._place = (0, 0)
        self._present = False
        self._grown = asyncio.Event()
        self._look = SharedCall(functools.partial(describe, client, workflow_id))
        self._step: Written | None = None
        self._every_s: float | None = None
        self._writing: Written | None = None
        self._reading_along = 0
        self._writer: asyncio.Task[None] | None = None
        self._asked: dict[int, asyncio.Task[None]] = {}

    @property
    def over(self) -> bool:
        """There is nothing more to come."""
        return self._reader is not None and self._reader.done()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Read for as long as the body runs."""
        self.followers += 1
        try:
            yield
        finally:
            self.followers -= 1
            if not self.followers:
                for task in filter(None, (self._reader, *self._asked.values())):
                    task.cancel()

    async def join(self, present: Joined = None) -> Joined:
        """Come in while it is `followed`: what the `present` is for whoever joins now; for another it may be long past.

        Raises:
            RunNotFound: there is no such run.
            ServerUnreachable: the server was away for more than five minutes.
        """
        if self._reader is None:
            # It begins by looking itself.
            self._reader = asyncio.create_task(self._read())
            return None
        if present is None:
            info = (await self._look()).workflow_execution_info
            present = info.execution.run_id, info.history_length
        return present

    @contextmanager
    def _read_along(self) -> Iterator[None]:
        self._reading_along += 1
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        try:
            yield
        finally:
            self._reading_along -= 1
            if not self._reading_along:
                self._writer.cancel()
                self._writer = None

    def ask_to_write(self, progress: Progress, every_s: float) -> None:
        """Have the steps of the turn in hand say what they write, from the next one on; asked once for all.

        To be called while it is `followed`; whoever called may leave.
        """
        if progress.ending is None and progress.turn not in self._asked:
            self._asked[progress.turn] = asyncio.create_task(self._ask(progress.turn, every_s))

    async def _ask(self, turn: int, every_s: float) -> None:
        handle = self._client.get_workflow_handle(self._workflow_id)
        try:
            await handle.signal(names.STREAM_SIGNAL, pack(StreamRequest(tokens_every_s=every_s)))
        except Exception as error:  # noqa: BLE001 - a codec or an interceptor may raise anything
            status = error.status if isinstance(error, RPCError) else None
            if status is RPCStatusCode.UNAVAILABLE:
                # The history's reader waits for the server as well; whoever reads on then asks again.
                del self._asked[turn]
            elif status is not RPCStatusCode.NOT_FOUND:
                # Of one that has just ended nothing is written any more. Who may read and not signal still reads.
                _log.warning(
                    "cannot ask run %r for tokens (%s); each text comes when it is complete", self._workflow_id, error
                )

    async def readings(self, joined: Joined, *, along: bool = False) -> AsyncGenerator[tuple[Reading, bool], None]:
        """Everything from the beginning, then what comes, until the run is over; each with whether it is the present.

        `along`: and what the step in hand has written by now.

        Raises:
            RunNotFound: there is no such run.
            ServerUnreachable: the server was away for more than five minutes.
            RunFailed: its workflow failed; or an error that says more.
        """
        at, present, writing = 0, False, None
        with self._read_along() if along else nullcontext():
            while True:
                while at < len(self._readings):
                    reading, at = self._readings[at], at + 1
                    present = reading.present and self._reached(joined, reading.place)
                    yield reading, present
                if along and self._writing is not None and self._writing is not writing:
                    writing = self._writing
                    yield replace(self._readings[-1], traced=(), written=None, writing=writing), present
                elif not present and self._present and self._readings and self._reached(joined, self._place):
                    # The events since then became no entries.
                    present = True
                    yield replace(self._readings[-1], traced=(), written=None), present
                elif self._reader is None or self._reader.done():
                    if self._reader is not None:
                        self._reader.result()
                    return
                elif at == len(self._readings):
                    await self._grown.wait()

    def _reached(self, joined: Joined, place: tuple[int, int]) -> bool:
        if joined is None:
            return True
        run_id, length = joined
        return run_id in self._executions and place >= (self._executions.index(run_id), length)

    async def _read(self) -> None:
        fold, entries, entered = Fold(self._client.data_converter), list[Entry](), list[str]()
        fold.on_entry = entries.append
        latest, known_events = False, 0
        try:
            async for event in follow(self._client, self._workflow_id, self.start, on_execution=entered.append):
                if entered:
                    info = (await describe(self._client, self._workflow_id)).workflow_execution_info
                    latest, known_events = info.execution.run_id == entered[-1], info.history_length
                    self._executions += entered
                    self._present, self._step, self._writing = False, None, None
                    self._branch = Branch(entered[-1])
                    entered.clear()
                self._branch.feed(event)
                traced = await fold.feed(event)
                if event.event_type == _FAILED:
                    raise await failed_run(event, self._workflow_id, self._client.data_converter)
                was_present, self._place = self._present, (len(self._executions) - 1, event.event_id)
                self._present = self._present or (latest and event.event_id >= known_events)
                written = self._note_step(event, entries, fold)
                if entries or self._present != was_present:
                    self._readings.append(self._reading(fold, traced, written))
                    entries.clear()
                self._tell()
        finally:
            self._tell()

    def _note_step(self, event: HistoryEvent, entries: list[Entry], fold: Fold) -> Written | None:
        """Keep which step is in hand; what it wrote, when it is done."""
        begun = event.activity_task_started_event_attributes
        if self._step is not None and self._step.scheduled == begun.scheduled_event_id:
            self._step = replace(self._step, attempt=begun.attempt)
        written = None
        for entry in entries:
            if isinstance(entry, StepBegun):
                branch, task, seq = self._branch.run_id, entry.task, len(fold.trace)
                self._step = Written(event.event_id, branch, branch, task.step, 1, 0, "", seq, first=task.first)
                self._every_s = task.tokens_every_s
            elif isinstance(entry, StepDone) and isinstance(entry.outcome, StepOutcome) and self._step is not None:
                outcome, messages = entry.outcome, fold.ledger.state.messages
                streamed = outcome.streamed and outcome.answered
                text = (messages[-1].content or "") if streamed else ""
                call, branch = len(outcome.errors) + outcome.rewritten, self._branch.run_id
                written = replace(self._step, branch=branch, call=call, text=text, streamed=streamed)
                self._step = self._writing = None
        return written

    async def _write(self) -> None:
        misses = 0
        try:
            while True:
                step, every_s, grown = self._step, self._every_s, self._grown
                if step is None or every_s is None:
                    await grown.wait()
                else:
                    await asyncio.sleep(until_next_beat_s(every_s, misses))
                    misses = 0 if await self._look_at(step) else misses + 1
        except (RunNotFound, ServerUnreachable):
            # The history's reader meets the same, and says so to whoever follows.
            return
        except Exception as error:  # noqa: BLE001 - a codec may raise anything
            _log.warning(
                "cannot read the tokens of run %r (%s: %s); each text comes when it is complete",
                self._workflow_id,
                type(error).__name__,
                error,
            )

    async def _look_at(self, step: Written) -> bool:
        """Whether there is more than when this was called last."""
        run_id = self._executions[-1]
        found = await writing_of(self._client, self._workflow_id, run_id, step.step)
        known = self._step if run_id == self._executions[-1] else None
        if found is None or known is None or known.scheduled != step.scheduled:
            return False
        attempt, writing = found
        branch, text = self._branch.run_id, writing.written
        written = replace(step, branch=branch, attempt=attempt, call=writing.call, text=text, asked=writing.asked)
        if written == self._writing:
            return False
        self._writing = written
        self._tell()
        return True

    def _reading(self, fold: Fold, traced: list[TraceEvent], written: Written | None) -> Reading:
        branch, event = self._branch.run_id, self._place[1]
        return Reading(
            traced=tuple(identified(traced, branch, event, written)),
            branch=branch,
            present=self._present,
            place=self._place,
            progress=fold.ledger.progress,
            members=fold.ledger.members,
            stops=fold.stops,
            turns=fold.turns,
            first_turn=fold.first_turn,
            closed=fold.closed,
            written=written,
        )

    def _tell(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
