"""A history that is read once, while it grows, for everybody who follows it."""

import asyncio
import functools
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from spine_core import TraceEvent
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from spine_temporal.client.server_errors import failed_run
from spine_temporal.client.shared_call import SharedCall
from spine_temporal.history.fold import Fold, Stop
from spine_temporal.history.follow import describe, follow
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.ledger import Member
from spine_temporal.journal.progress import Progress

_FAILED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED

type Joined = tuple[str, int] | None
"""The latest execution when somebody joined, and its last event; None: the reader has found that out by itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was known of a run after an event that told something."""

    traced: tuple[TraceEvent, ...]
    """What that event told."""
    present: bool
    """It is all there was; else there is more in the history already."""
    place: tuple[int, int]
    """Which execution it is in, which of its events it is."""
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


class LiveHistory:
    """The history of a run from the execution `start` on, through those that continue it or take its place."""

    def __init__(self, client: Client, workflow_id: str, start: str) -> None:
        self.followers = 0
        self._client = client
        self._workflow_id = workflow_id
        self._start = start
        self._reader: asyncio.Task[None] | None = None
        self._readings: list[Reading] = []
        self._executions: list[str] = []
        self._place = (0, 0)
        self._present = False
        self._grown = asyncio.Event()
        self._look = SharedCall(functools.partial(describe, client, workflow_id))

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
            if not self.followers and self._reader is not None:
                self._reader.cancel()

    async def join(self) -> Joined:
        """Come in while it is `followed`: what the present is for whoever joins now; for another it may be long past.

        Raises:
            RunNotFound: there is no such run.
            ServerUnreachable: the server was away for more than five minutes.
        """
        if self._reader is None:
            # It begins by looking itself.
            self._reader = asyncio.create_task(self._read())
            return None
        info = (await self._look()).workflow_execution_info
        return info.execution.run_id, info.history_length

    async def readings(self, joined: Joined) -> AsyncGenerator[tuple[Reading, bool], None]:
        """Everything from the beginning, then what comes, until the run is over; each with whether it is the present.

        Raises:
            RunNotFound: there is no such run.
            ServerUnreachable: the server was away for more than five minutes.
            RunFailed: its workflow failed; or an error that says more.
        """
        at, present = 0, False
        while True:
            while at < len(self._readings):
                reading, at = self._readings[at], at + 1
                present = reading.present and self._reached(joined, reading.place)
                yield reading, present
            if not present and self._present and self._readings and self._reached(joined, self._place):
                # The events since then told nothing.
                present = True
                yield replace(self._readings[-1], traced=()), present
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
        fold, told, entered = Fold(self._client.data_converter), list[Entry](), list[str]()
        fold.on_entry = told.append
        latest, known_events = False, 0
        try:
            async for event in follow(self._client, self._workflow_id, self._start, on_execution=entered.append):
                if entered:
                    info = (await describe(self._client, self._workflow_id)).workflow_execution_info
                    latest, known_events = info.execution.run_id == entered[-1], info.history_length
                    self._executions += entered
                    self._present = False
                    entered.clear()
                traced = await fold.feed(event)
                if event.event_type == _FAILED:
                    raise await failed_run(event, self._workflow_id, self._client.data_converter)
                was_present, self._place = self._present, (len(self._executions) - 1, event.event_id)
                self._present = self._present or (latest and event.event_id >= known_events)
                if told or self._present != was_present:
                    self._readings.append(self._reading(fold, traced))
                    told.clear()
                self._tell()
        finally:
            self._tell()

    def _reading(self, fold: Fold, traced: list[TraceEvent]) -> Reading:
        return Reading(
            traced=tuple(traced),
            present=self._present,
            place=self._place,
            progress=fold.ledger.progress,
            members=fold.ledger.members,
            stops=fold.stops,
            turns=fold.turns,
            first_turn=fold.first_turn,
            closed=fold.closed,
        )

    def _tell(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
