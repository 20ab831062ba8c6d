"""A run followed until it stops."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakKeyDictionary

from spine_core import State, TraceEvent
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.client import Client

from spine_temporal.client.server_errors import failed_run
from spine_temporal.contracts import names
from spine_temporal.contracts.base import load
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.errors import RunFailed, RunNotFound
from spine_temporal.history.fold import Fold, Stop
from spine_temporal.history.folded import fold_execution, turn_run_id, with_conversation
from spine_temporal.history.follow import close_event, describe, first_event, follow, reset_to
from spine_temporal.history.payloads import payload_bytes
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.ledger import Ledger
from spine_temporal.slots import waiting

_FAILED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
_RUNNING: Final = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
# A pause is known within 0.3 s or a third of the time waited, two seconds at most: some ten requests in five seconds,
# then one in two.
_FIRST_LOOK_S: Final = 0.3
_SHARE: Final = 1 / 3
_LAST_LOOK_S: Final = 2.0


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


type Published = tuple[str, StatusRecord | None]
"""The latest execution's run id, and the status that it published; None: it is closed."""


class _Watch:
    """Looks at one workflow for everybody in this process who waits for it."""

    def __init__(self, client: Client, workflow_id: str) -> None:
        self.waiting = 0
        self._client = client
        self._workflow_id = workflow_id
        self._latest: Published | None = None
        self._began_s = 0.0
        self._looked = asyncio.Event()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def other_than(self, known: Published | None) -> Published:
        """What is published, as soon as it is not what is known.

        Raises:
            RunNotFound: there is no such run.
            ServerUnreachable: the server was away for more than five minutes.
        """
        self.waiting += 1
        self._began_s = time.monotonic()
        self._wanted.set()
        try:
            while True:
                if self._task is None or self._task.done():
                    self._task = asyncio.create_task(self._look())
                looked = asyncio.create_task(self._looked.wait())
                try:
                    await asyncio.wait({looked, self._task}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    looked.cancel()
                if self._task.done():
                    self._task.result()
                if self._latest is not None and self._latest != known:
                    return self._latest
        finally:
            self.waiting -= 1
            if not self.waiting and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _look(self) -> None:
        closing: asyncio.Task[None] | None = None
        try:
            while True:
                self._wanted.clear()
                self._latest = await published_status(self._client, self._workflow_id)
                looked, self._looked = self._looked, asyncio.Event()
                looked.set()
                if closing is None or closing.done():
                    closing = asyncio.create_task(self._closed(self._latest[0]))
                pause_s = min(_LAST_LOOK_S, max(_FIRST_LOOK_S, (time.monotonic() - self._began_s) * _SHARE))
                wanted = asyncio.create_task(self._wanted.wait())
                try:
                    await asyncio.wait({closing, wanted}, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    wanted.cancel()
        finally:
            if closing is not None:
                closing.cancel()

    async def _closed(self, run_id: str) -> None:
        while await close_event(self._client, self._workflow_id, run_id) is None:
            continue


_watches: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[int, str], _Watch]]] = WeakKeyDictionary()


def _watch(client: Client, workflow_id: str) -> _Watch:
    watches = _watches.setdefault(asyncio.get_running_loop(), {})
    key = (id(client), workflow_id)
    for idle in [each for each, watch in watches.items() if not watch.waiting and each != key]:
        del watches[idle]
    return watches.setdefault(key, _Watch(client, workflow_id))


async def published_status(client: Client, workflow_id: str) -> Published:
    """The latest execution's run id, and the status that it published; None: it is closed.

    Raises:
        RunNotFound: there is no such run.
    """
    info = (await describe(client, workflow_id)).workflow_execution_info
    if info.status != _RUNNING:
        return info.execution.run_id, None
    memo = info.memo.fields.get(names.STATUS_MEMO)
    if memo is None:
        return info.execution.run_id, StatusRecord(agent="", session_id="")
    written = await payload_bytes(Payloads(payloads=[memo]), client.data_converter)
    return info.execution.run_id, load(StatusRecord, written).model_copy(update={"revision": "", "order": ()})


@dataclass(slots=True)
class RunFollower:
    """Follows the turn `turn`; None: the one that `run_id` began with, or without one, the turn in hand.

    When the execution `run_id` is gone from the server, a turn with a number is looked for in the latest one.
    """

    client: Client
    workflow_id: str
    run_id: str | None
    turn: int | None

    async def stop(self, *, after: StatusCursor) -> Stop:
        """The next stop after `after`; the last one, if the turn has stopped for good.

        Raises:
            RunNotFound: there is no such run.
            RunFailed: its workflow failed, or closed before the turn began; or an error that says more.
        """
        watch, known, run_id = _watch(self.client, self.workflow_id), None, ""
        while True:
            with waiting():
                known = await watch.other_than(known)
            status = known[1]
            if run_id not in ("", known[0]) and await reset_to(self.client, self.workflow_id, run_id) is not None:
                # It counts its stops anew, from where it was taken back to.
                after = StatusCursor()
            run_id = known[0]
            if status is None or self._may_have_stopped(status, after):
                fold = await self._folded()
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

    async def _folded(self) -> Fold:
        fold = Fold(self.client.data_converter)
        async for event in follow(self.client, self.workflow_id, await self._start(), wait=False):
            await fold.feed(event)
            if event.event_type == _FAILED:
                raise await failed_run(event, self.workflow_id, self.client.data_converter)
        if self.turn is not None and self.turn < (fold.first_turn or 1):
            raise RunNotFound(f"the history of turn {self.turn} of {self.workflow_id!r} is gone from the server")
        return fold

    async def events(self) -> AsyncIterator[TraceEvent]:
        """The trace events of the turn until it stops."""
        fold, turn = Fold(self.client.data_converter), await self._turn_in_hand()
        members: set[str] = set()
        async for traced, now in self._followed(fold):
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
                executions.clear()
            traced = await fold.feed(event)
            if event.event_type == _FAILED:
                raise await failed_run(event, self.workflow_id, self.client.data_converter)
            now = now or (present and event.event_id >= known_events)
            if self.turn is not None and self.turn < (fold.first_turn or 1):
                raise RunNotFound(f"the history of turn {self.turn} of {self.workflow_id!r} is gone from the server")
            yield traced, now

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

    def _found(self, fold: Fold, after: StatusCursor) -> Stop | None:
        stop = fold.stops.get(self._wanted(fold) or fold.ledger.progress.turn)
        return stop if stop is not None and (fold.closed or not after.is_old(stop.ledger)) else None

    def _last(self, fold: Fold) -> Stop:
        wanted = self._wanted(fold) or fold.ledger.progress.turn
        if wanted in fold.stops:
            return fold.stops[wanted]
        raise RunFailed(f"the session of {self.workflow_id!r} was closed before its turn {wanted} began")
