"""A run watched until it stops."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from spine_core import TraceEvent
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from spine_temporal.client.server_errors import failed_run
from spine_temporal.errors import RunFailed, RunNotFound
from spine_temporal.history.fold import Fold, Stop, fold_execution, turn_run_id
from spine_temporal.history.follow import describe, first_event, follow
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.ledger import Ledger

_FAILED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody knows of a run who waits for what comes later."""

    standings: int = 0
    """The number of the last stop."""
    child: str = ""
    """Position of the agent that works for the run, and has just been answered."""
    number: int = 0
    """Of that agent's standing then: a stop at which it still stands there is an old one."""

    def is_old(self, ledger: Ledger) -> bool:
        """Whether a stop is one that was known."""
        child = ledger.children.get(self.child)
        stands_there = child is not None and not child.over and child.number <= self.number
        return stands_there or ledger.progress.standings <= self.standings


@dataclass(slots=True)
class Watch:
    """Follows the turn `turn`; None: the one that `run_id` began with, or without one, the turn in hand.

    When the execution `run_id` is gone from the server, a turn with a number is looked for in the latest one.
    """

    client: Client
    workflow_id: str
    run_id: str | None
    turn: int | None

    async def stop(self, *, after: Seen) -> Stop:
        """The next stop after what was seen; the last one, if the turn stands still.

        Raises:
            RunNotFound: there is no such run.
            RunFailed: its workflow failed, or closed before the turn began; or an error that says more.
        """
        fold = Fold(self.client.data_converter)
        async for _, now in self._followed(fold, leisurely=True):
            stop = self._found(fold, after) if now else None
            if stop is not None:
                return stop
        return self._last(fold)

    async def events(self) -> AsyncIterator[TraceEvent]:
        """The trace events of the turn until it stops."""
        fold, turn = Fold(self.client.data_converter), await self._turn_in_hand()
        members: set[str] = set()
        async for told, now in self._followed(fold):
            if fold.ledger.progress.turn == (turn or self._wanted(fold)):
                for event in told:
                    yield event
            for child in fold.ledger.children.values() if fold.ledger.spec.team is not None else ():
                if child.workflow_id in members:
                    continue
                try:
                    async for event in Watch(self.client, child.workflow_id, None, None).events():
                        yield event
                except RunNotFound:
                    # It is ordered, and has not begun: the next event of the team tells that it has.
                    continue
                members.add(child.workflow_id)
            if now and self._found(fold, Seen()) is not None:
                return

    async def journal(self, hear: Callable[[Entry], None]) -> None:
        """Tell the turn's entries, as far as the history goes by now."""
        fold, turn = Fold(self.client.data_converter), await self._turn_in_hand()
        fold.hear = lambda entry: hear(entry) if fold.ledger.progress.turn == (turn or self._wanted(fold)) else None
        async for event in follow(self.client, self.workflow_id, await self._start(), wait=False):
            await fold.feed(event)

    async def _turn_in_hand(self) -> int | None:
        """Of a run had by its id alone, the turn that it stands for."""
        if self.turn is not None or self.run_id is not None:
            return None
        ledger = await fold_execution(self.client, (self.workflow_id, ""))
        over = ledger.progress.ending is not None and not ledger.progress.paused
        return ledger.queue[0].turn if over and ledger.queue else ledger.progress.turn

    async def _followed(self, fold: Fold, *, leisurely: bool = False) -> AsyncIterator[tuple[list[TraceEvent], bool]]:
        """What each event told, and whether what the fold knows is by now the present."""
        described = (await describe(self.client, self.workflow_id)).workflow_execution_info
        start, now = await self._start(), False
        run_id = start
        async for event in follow(self.client, self.workflow_id, start, leisurely=leisurely):
            told = await fold.feed(event)
            if event.event_type == _FAILED:
                raise failed_run(event, self.workflow_id)
            run_id = _run_id(event) or run_id
            if self.turn is not None and self.turn < (fold.first_turn or 1):
                raise RunNotFound(f"the history of turn {self.turn} of {self.workflow_id!r} is gone from the server")
            now = now or (run_id == described.execution.run_id and event.event_id >= described.history_length)
            yield told, now

    async def _start(self) -> str:
        if self.run_id is None or (self.turn is not None and not await self._is_there(self.run_id)):
            return await turn_run_id(self.client, self.workflow_id, None)
        return self.run_id

    async def _is_there(self, run_id: str) -> bool:
        try:
            await first_event(self.client, self.workflow_id, run_id)
        except RunNotFound:
            return False
        return True

    def _wanted(self, fold: Fold) -> int | None:
        return self.turn or (fold.first_turn if self.run_id is not None else None)

    def _found(self, fold: Fold, after: Seen) -> Stop | None:
        stop = fold.stops.get(self._wanted(fold) or fold.ledger.progress.turn)
        return stop if stop is not None and (fold.closed or not after.is_old(stop.ledger)) else None

    def _last(self, fold: Fold) -> Stop:
        wanted = self._wanted(fold) or fold.ledger.progress.turn
        if wanted in fold.stops:
            return fold.stops[wanted]
        raise RunFailed(f"the session of {self.workflow_id!r} was closed before its turn {wanted} began")


def _run_id(event: HistoryEvent) -> str | None:
    if event.HasField("workflow_execution_started_event_attributes"):
        return event.workflow_execution_started_event_attributes.original_execution_run_id
    return None
