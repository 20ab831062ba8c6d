"""A run followed until it stops."""

import functools
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from spine_core import State
from temporalio.client import Client

from spine_temporal.client.live_history import Joined, LiveHistory, Reading
from spine_temporal.client.member_events import MemberEvents
from spine_temporal.client.new_events import NewEvents
from spine_temporal.client.read_ahead import ReadAhead, can_read_ahead
from spine_temporal.client.reading_along import Identified
from spine_temporal.client.shared_reads import SharedReads, shared_reads
from spine_temporal.client.starts import Start, Starts
from spine_temporal.client.status_cursor import StatusCursor
from spine_temporal.client.status_watch import Published
from spine_temporal.client.turn_history import folded_from, turn_at, turn_in_hand
from spine_temporal.client.updates import is_answered
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.errors import RunFailed, RunNotFound
from spine_temporal.history.event_id import EventId
from spine_temporal.history.fold import Fold, Stop
from spine_temporal.history.folded import turn_run_id, with_conversation
from spine_temporal.history.follow import follow, reset_to
from spine_temporal.journal.entries import Entry
from spine_temporal.journal.progress import Progress
from spine_temporal.slots import waiting


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
    stopped_at: Stop | None = None
    """Where `events` ended."""

    async def stop(self, *, after: StatusCursor) -> Stop:
        """The next stop after `after`; the last one, if the turn has stopped for good.

        Raises:
            RunNotFound: there is no such run.
            RunFailed: its workflow failed, or closed before the turn began, or a reset took the turn back for good; or
                an error that says more.
        """
        with shared_reads(self.client, self.workflow_id) as reads:
            begun = self.begun and not after.number
            if begun and self.run_id is not None and await can_read_ahead(self.client):
                with reads.ahead(self.run_id) as ahead:
                    stop = await self._first_stop(ahead)
                if stop is not None:
                    return stop
            with reads.status.attended():
                return await self._stop(reads, after)

    async def _first_stop(self, ahead: ReadAhead) -> Stop | None:
        """None: it is to be looked up; a reset took the turn back, or it is not all in what there is to read."""
        fold = ahead.fold
        while True:
            try:
                over = ahead.over
            except RunNotFound:
                if fold.request is not None:
                    raise
                return None
            if fold.request is not None:
                self._know(fold)
                if self._took_back(fold.turns):
                    return None
                stop = self._found(fold, fold.ledger.progress, StatusCursor())
                if stop is not None:
                    return stop if stop.ledger.restored else None
            if over:
                return None
            with waiting():
                await ahead.grown()

    async def _stop(self, reads: SharedReads, after: StatusCursor) -> Stop:
        known: Published | None = None
        run_id, in_hand, by_name = "", None, self.run_id is None and self.turn is None
        while True:
            with waiting():
                known = await reads.status.other_than(known)
            status, was_reset = known[1], False
            if run_id not in ("", known[0]):
                look = functools.partial(reset_to, self.client, self.workflow_id, run_id)
                if await reads.once(("reset", run_id), look) is not None:
                    # It counts its stops anew, from where it was taken back to.
                    after, was_reset = StatusCursor(), True
            run_id = known[0]
            if by_name and (was_reset or in_hand is None):
                in_hand, self.run_id, self.turn = known, None, None
            if status is None or was_reset or self._may_have_stopped(status, after, in_hand):
                await self._keep_to(reads, in_hand)
                fold = await self._folded(reads, latest=run_id)
                if self._took_back(fold.turns):
                    with waiting():
                        await self._taken_again(reads)
                    known = None
                    continue
                stop = self._found(fold, fold.ledger.progress, after)
                if stop is None and fold.closed:
                    stop = self._last(fold)
                if stop is not None and stop.ledger.restored:
                    return stop
                if stop is not None:
                    read = functools.partial(with_conversation, self.client, fold)
                    return stop._replace(ledger=await reads.once(("conversation", fold), read))

    def _may_have_stopped(self, status: StatusRecord, after: StatusCursor, in_hand: Published | None) -> bool:
        if status.status != "running":
            return not after.number or status.number > after.number
        if self.turn is not None:
            return status.turn > self.turn
        # Of the turn that an execution began with, the history tells the number.
        return status.turn > (in_hand[1].turn if in_hand is not None and in_hand[1] is not None else 1)

    async def _keep_to(self, reads: SharedReads, in_hand: Published | None) -> None:
        """Keep to the turn that was in hand when somebody began to wait, which may be over by now."""
        run_id, status = in_hand or ("", None)
        if status is None or self.run_id is not None:
            return
        began = functools.partial(turn_run_id, self.client, self.workflow_id, run_id)
        # Before a worker has written the status, it is the turn that the execution begins with.
        self.turn = status.turn if status.number else None
        self.run_id = await reads.once(("began", run_id), began)

    async def _folded(self, reads: SharedReads, latest: str | None = None) -> Fold:
        read = functools.partial(folded_from, self.client, self.workflow_id, self._from, latest)
        fold, was_there = await reads.once(("fold", self._from, latest), read)
        self._know(fold, was_there=was_there)
        return fold

    async def number(self) -> int | None:
        """The turn's number by now; None: whichever is in hand, or it was taken back for good.

        Raises:
            RunNotFound: there is no such run.
        """
        if not self.update_id:
            return self.turn
        with shared_reads(self.client, self.workflow_id) as reads:
            if self._took_back((await self._folded(reads)).turns):
                await self._taken_again(reads)
                await self._folded(reads)
        return self.turn

    def _took_back(self, turns: dict[str, int]) -> bool:
        """Whether a reset has taken back the update that brought the turn."""
        return bool(self.update_id) and self.update_id not in turns

    async def _taken_again(self, reads: SharedReads) -> None:
        """Wait until a turn that a reset took back is accepted again.

        Raises:
            RunFailed: it was not.
        """
        # Asked after in the latest execution; one that has continued as new meanwhile has its answer in the history.
        if not await is_answered(self.client, self.workflow_id, self.update_id) and self._took_back(
            (await self._folded(reads)).turns
        ):
            raise RunFailed(
                f"a reset of {self.workflow_id!r} took its turn {self.turn} back, and it was not accepted again; "
                "say it once more"
            )

    async def events(
        self, *, tokens_every_s: float | None = None, after: EventId | None = None, past: StatusCursor | None = None
    ) -> AsyncGenerator[Identified]:
        """The trace events of the turn behind `after` until it stops, not as `past` knows; tokens that far apart."""
        self.stopped_at = None
        new = NewEvents(tokens=tokens_every_s is not None, after=None if after is None or after.members else after)
        members = MemberEvents(
            functools.partial(RunFollower, self.client, run_id=None, turn=None),
            tokens_every_s=tokens_every_s,
            after=after if after is not None and after.members else None,
        )
        async with self._joined() as (reads, live, joined):
            turn = None
            if self.turn is None and self.run_id is None:
                turn = await turn_in_hand(live.readings(joined))
            async with aclosing(live.readings(joined, along=tokens_every_s is not None)) as readings:
                async for reading, present in readings:
                    self._know(reading)
                    if present and self._took_back(reading.turns):
                        await self._taken_again(reads)
                    wanted = reading.progress.turn == (turn or self._wanted(reading))
                    if wanted and present and tokens_every_s is not None and not reading.progress.tokens_every_s:
                        live.ask_to_write(reading.progress, tokens_every_s)
                    for each in new.of(reading, wanted=wanted, present=present):
                        if members.passed(reading):
                            yield each
                    async with aclosing(members.events(reading, begun=new.passed)) as events:
                        async for each in events:
                            yield each
                    # After a reset, the stops are counted anew.
                    known = past if past and reading.progress.status_number >= past.number else StatusCursor()
                    stop = self._found(reading, reading.progress, known) if present else None
                    if stop is not None and not (stop.ledger.progress.paused and members.outran(reading)):
                        self.stopped_at = stop
                        return
            for each in new.rest():
                yield each

    async def events_after(
        self, before: StatusCursor, *, tokens_every_s: float | None = None
    ) -> AsyncGenerator[Identified]:
        """The trace events of the turn after what `before` knows, until it stops again."""
        number, new = 0, NewEvents(tokens=tokens_every_s is not None)
        along = tokens_every_s is not None
        async with self._joined() as (_, live, joined), aclosing(live.readings(joined, along=along)) as readings:
            async for reading, present in readings:
                turn, progress = reading.progress.turn, reading.progress
                if progress.status_number < number:
                    # A reset took it back: it counts its stops anew.
                    before = StatusCursor()
                number = progress.status_number
                wanted = turn == self.turn and not before.is_old(progress)
                for each in new.of(reading, wanted=wanted, present=present):
                    yield each
                stop = reading.stops.get(self.turn or turn)
                if stop is not None and not before.is_old(stop.ledger.progress):
                    return

    @property
    def paused_at(self) -> int | None:
        """The number of the pause at which they ended; None: they ended with the turn."""
        progress = self.stopped_at.ledger.progress if self.stopped_at is not None else None
        return progress.status_number if progress is not None and progress.paused else None

    async def entries(self, on_entry: Callable[[Entry, State], None]) -> None:
        """Call `on_entry` with the turn's entries and the State after each, as far as the history goes by now."""
        with shared_reads(self.client, self.workflow_id) as reads:
            start, turn = (await self._start(reads)).run_id, None
            if self.turn is None and self.run_id is None:
                turn = turn_at((await self._folded(reads)).ledger.progress)
        fold = Fold(self.client.data_converter)
        fold.on_entry = lambda entry: (
            on_entry(entry, fold.ledger.state) if fold.ledger.progress.turn == (turn or self._wanted(fold)) else None
        )
        async for event in follow(self.client, self.workflow_id, start, wait=False):
            await fold.feed(event)

    @property
    def _from(self) -> "tuple[str | None, bool]":
        """The execution to read from, as far as it is known, and whether another will do when it is gone."""
        return self.run_id, self.turn is not None

    @asynccontextmanager
    async def _joined(self) -> AsyncGenerator[tuple[SharedReads, LiveHistory, Joined]]:
        with shared_reads(self.client, self.workflow_id) as reads:
            start = await self._start(reads)
            with reads.live(start.run_id) as live:
                yield reads, live, await start.join(live)

    async def _start(self, reads: SharedReads) -> Start:
        start = await reads.once(("start", self._from), Starts(self.client, self.workflow_id, self._from))
        if not start.was_there:
            self.update_id = ""
        return start

    def _know(self, known: "Fold | Reading", *, was_there: bool = True) -> None:
        """Learn from what was read which number the turn has by now.

        Raises:
            RunNotFound: its history is gone.
        """
        if not was_there:
            # Nor is the update there any more: it is known by the number that it had.
            self.update_id = ""
        self.turn = known.turns.get(self.update_id, self._wanted(known))
        if self.turn is not None and self.turn < (known.first_turn or 1):
            raise RunNotFound(f"the history of turn {self.turn} of {self.workflow_id!r} is gone from the server")

    def _wanted(self, known: "Fold | Reading") -> int | None:
        return self.turn or (known.first_turn if self.run_id is not None else None)

    def _found(self, known: "Fold | Reading", progress: Progress, after: StatusCursor) -> Stop | None:
        stop = known.stops.get(self._wanted(known) or progress.turn)
        return stop if stop is not None and (known.closed or not after.is_old(stop.ledger.progress)) else None

    def _last(self, fold: Fold) -> Stop:
        wanted = self._wanted(fold) or fold.ledger.progress.turn
        if wanted in fold.stops:
            return fold.stops[wanted]
        raise RunFailed(f"the session of {self.workflow_id!r} was closed before its turn {wanted} began")
