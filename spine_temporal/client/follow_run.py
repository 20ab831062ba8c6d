"""A run followed until it stops."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Final

from spine_core import State, TraceEvent
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from spine_temporal.client.server_errors import failed_run
from spine_temporal.client.status_watch import StatusWatch, watch_of
from spine_temporal.client.updates import is_answered
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.errors import RunFailed, RunNotFound
from spine_temporal.history.fold import Fold, Stop
from spine_temporal.history.folded import fold_execution, turn_run_id, with_conversation
from spine_temporal.history.follow import describe, first_event, follow, reset_to
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.ledger import Ledger
from spine_temporal.slots import waiting

_FAILED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED


@dataclass(frozen=True, slots=True)
class StatusCursor:
    """What somebody knows of a run who waits for what comes later."""

    number: int = 0
    """Of the last stop."""
    subagent: str = ""
    """Position of the subagent that has just been answered."""
    subagent_number: int = 0
    """Of that subagent's status then: a stop at which it still waits there is an old one."""

    def is_old(self, ledger: Ledger) -> bool:
        """Whether a stop is one that was known."""
        calls = ledger.progress.calls
        known = (
            (each for at, each in enumerate(calls.items) if str(calls.position(at)) == self.subagent) if calls else ()
        )
        call = next(iter(known), None)
        subagent = call.subagent if call is not None and not call.finished else None
        waits_there = subagent is not None and subagent.status != "over" and subagent.number <= self.subagent_number
        return waits_there or ledger.progress.status_number <= self.number


@dataclass(slots=True)
class RunFollower:
    """Follows the turn `turn`; None: the one that `run_id` began with, or without one, the turn in hand.

    When the execution `run_id` is gone from the server, a turn with a number is looked for in the latest one. A turn
    that the update `update_id` brought has the number that the history gives it by now: a reset may give it another.
    """

    client: Client
    workflow_id: str
    run_id: str | None
    turn: int | None
    update_id: str = ""
    begun: bool = False
    """The execution `run_id` took the turn a moment ago."""

    async def stop(self, *, after: StatusCursor) -> Stop:
        """The next stop after `after`; the last one, if the turn has stopped for good.

        Raises:
            RunNotFound: there is no such run.
            RunFailed: its workflow failed, or closed before the turn began, or a reset took the turn back for good; or
                an error that says more.
        """
        watch = watch_of(self.client, self.workflow_id)
        with watch.attended():
            return await self._stop(watch, after)

    async def _stop(self, watch: StatusWatch, after: StatusCursor) -> Stop:
        known, run_id = watch.expect(self.run_id) if self.begun and self.run_id is not None else None, ""
        while True:
            with waiting():
                known = await watch.other_than(known)
            status, was_reset = known[1], False
            if run_id not in ("", known[0]) and await reset_to(self.client, self.workflow_id, run_id) is not None:
                # It counts its stops anew, from where it was taken back to.
                after, was_reset = StatusCursor(), True
            run_id = known[0]
            if status is None or was_reset or self._may_have_stopped(status, after):
                fold = await self._folded(latest=run_id)
                if self._took_back(fold):
                    with waiting():
                        await self._taken_again()
                    known = None
                    continue
                stop = self._found(fold, after)
                if stop is None and fold.closed:
                    stop = self._last(fold)
                if stop is not None and stop.ledger.restored:
                    return stop
                if stop is not None:
                    return replace(stop, ledger=await with_conversation(self.client, fold))

    def _may_have_stopped(self, status: StatusRecord, after: StatusCursor) -> bool:
        if status.status != "running":
            return not after.number or status.number > after.number
        return self.turn is not None and status.turn > self.turn

    async def _folded(self, latest: str | None = None) -> Fold:
        fold = Fold(self.client.data_converter)
        async for event in follow(self.client, self.workflow_id, await self._start(), wait=False, latest=latest):
            await fold.feed(event)
            if event.event_type == _FAILED:
                raise await failed_run(event, self.workflow_id, self.client.data_converter)
        if self.turn is not None and self.turn < (fold.first_turn or 1):
            raise RunNotFound(f"the history of turn {self.turn} of {self.workflow_id!r} is gone from the server")
        self.turn = fold.turns.get(self.update_id, self.turn)
        return fold

    async def number(self) -> int | None:
        """The turn's number by now; None: whichever is in hand, or it was taken back for good.

        Raises:
            RunNotFound: there is no such run.
        """
        if self.update_id and self._took_back(await self._folded()):
            await self._taken_again()
            await self._folded()
        return self.turn

    def _took_back(self, fold: Fold) -> bool:
        """Whether a reset has taken back the update that brought the turn."""
        return bool(self.update_id) and self.update_id not in fold.turns

    async def _taken_again(self) -> None:
        """Wait until a turn that a reset took back is accepted again.

        Raises:
            RunFailed: it was not.
        """
        # Asked after in the latest execution; one that has continued as new meanwhile has its answer in the history.
        if not await is_answered(self.client, self.workflow_id, self.update_id) and self._took_back(
            await self._folded()
        ):
            raise RunFailed(
                f"a reset of {self.workflow_id!r} took its turn {self.turn} back, and it was not accepted again; "
                "say it once more"
            )

    async def events(self) -> AsyncIterator[TraceEvent]:
        """The trace events of the turn until it stops."""
        fold, turn = Fold(self.client.data_converter), await self._turn_in_hand()
        members: set[str] = set()
        async for traced, now in self._followed(fold):
            if now and self._took_back(fold):
                await self._taken_again()
            if fold.ledger.progress.turn == (turn or self._wanted(fold)):
                for event in traced:
                    yield event
            for member in fold.ledger.members:
                if not member.workflow_id or member.workflow_id in members:
                    continue
                async for event in RunFollower(self.client, member.workflow_id, None, None).events():
                    yield event
                members.add(member.workflow_id)
            if now and self._found(fold, StatusCursor()) is not None:
                return

    async def entries(self, on_entry: Callable[[Entry, State], None]) -> None:
        """Call `on_entry` with the turn's entries and the State after each, as far as the history goes by now."""
        fold, turn = Fold(self.client.data_converter), await self._turn_in_hand()
        fold.on_entry = lambda entry: (
            on_entry(entry, fold.ledger.state) if fold.ledger.progress.turn == (turn or self._wanted(fold)) else None
        )
        async for event in follow(self.client, self.workflow_id, await self._start(), wait=False):
            await fold.feed(event)

    async def _turn_in_hand(self) -> int | None:
        """Of a run had by its id alone, the turn that it stands for."""
        if self.turn is not None or self.run_id is not None:
            return None
        progress = (await fold_execution(self.client, (self.workflow_id, ""))).progress
        return progress.queue[0].turn if progress.over and progress.queue else progress.turn

    async def _followed(self, fold: Fold) -> AsyncIterator[tuple[list[TraceEvent], bool]]:
        """The trace events of each event, and whether what the fold knows is by now the present."""
        executions: list[str] = []
        present, known_events, now = False, 0, False
        start = await self._start()
        async for event in follow(self.client, self.workflow_id, start, on_execution=executions.append):
            if executions:
                info = (await describe(self.client, self.workflow_id)).workflow_execution_info
                present, known_events = info.execution.run_id == executions[-1], info.history_length
                now = False
                executions.clear()
            traced = await fold.feed(event)
            if event.event_type == _FAILED:
                raise await failed_run(event, self.workflow_id, self.client.data_converter)
            self.turn = fold.turns.get(self.update_id, self.turn)
            now = now or (present and event.event_id >= known_events)
            if self.turn is not None and self.turn < (fold.first_turn or 1):
                raise RunNotFound(f"the history of turn {self.turn} of {self.workflow_id!r} is gone from the server")
            yield traced, now

    async def _start(self) -> str:
        if self.run_id is None or (self.turn is not None and not await self._is_there(self.run_id)):
            # Nor is the update there any more: it is known by the number that it had.
            self.update_id = ""
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

    def _found(self, fold: Fold, after: StatusCursor) -> Stop | None:
        stop = fold.stops.get(self._wanted(fold) or fold.ledger.progress.turn)
        return stop if stop is not None and (fold.closed or not after.is_old(stop.ledger)) else None

    def _last(self, fold: Fold) -> Stop:
        wanted = self._wanted(fold) or fold.ledger.progress.turn
        if wanted in fold.stops:
            return fold.stops[wanted]
        raise RunFailed(f"the session of {self.workflow_id!r} was closed before its turn {wanted} began")
