"""The history of a turn that has just begun, folded while it grows."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from temporalio.client import Client

from spine_temporal.client.pacing import until_next_look_s
from spine_temporal.client.turn_history import feed
from spine_temporal.connection.server_version import server_version
from spine_temporal.history.fold import Fold
from spine_temporal.history.follow import when_closed


async def can_read_ahead(client: Client) -> bool:
    """Whether a long poll is answered with what there is, and then with what is new.

    The time-skipping test server waits for news before it gives anything. Where there is no answer, whoever looks at
    the status waits for the server, or says what is wrong.
    """
    return bool(await server_version(client))


class ReadAhead:
    """Reads a run for everybody in this process who waits for what it was given a moment ago.

    Whoever waits wants the whole turn in the end. Read in a few pieces while it grows, it is known to its last events
    when it ends: what is left to read and to fold is little, also where fifty runs end at once. A server answers a long
    poll after 20 s at the latest, so a run that stands still costs six of them a minute, with those for its close.

    Who comes later, or comes again and again, looks at the status instead (`StatusWatch`): it would read all there is
    each time.
    """

    def __init__(self, client: Client, workflow_id: str, run_id: str) -> None:
        self.fold = Fold(client.data_converter)
        self.waiting = 0
        self._client = client
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._began_s = time.monotonic()
        self._reader: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._grown = asyncio.Event()
        self._due = asyncio.Event()
        self._entered = False

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Read for as long as the body runs; somebody waits there."""
        self.waiting += 1
        self._began_s = time.monotonic()
        self._due.set()
        if self._reader is None:
            self._due.clear()
            self._reader = asyncio.create_task(self._read())
            # Whoever waits may be gone by the time it fails.
            self._reader.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            yield
        finally:
            self.waiting -= 1
            if not self.waiting:
                self._reader.cancel()

    @property
    def over(self) -> bool:
        """The run is closed, and `fold` has all of it.

        Raises what the reading raised: RunNotFound, ServerUnreachable, RunFailed, or an error that says more.
        """
        if self._reader is None or not self._reader.done():
            return False
        self._reader.result()
        return True

    async def grown(self) -> None:
        """Wait until `fold` knows all that there was a moment ago. To be called while it is `attended`."""
        if not self.over:
            await self._grown.wait()

    async def _read(self) -> None:
        began = (self._client, self._workflow_id, self._run_id)
        try:
            await feed(self.fold, *began, latest=self._run_id, pace=self._pace, on_execution=self._enter)
        finally:
            self._leave()
            self._tell()

    def _enter(self, run_id: str) -> None:
        self._leave()
        self._entered = True
        self._closing = asyncio.create_task(self._until_closed(run_id))
        # When it fails, the reading will meet the same.
        self._closing.add_done_callback(lambda task: task.cancelled() or task.exception())

    def _leave(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None

    async def _until_closed(self, run_id: str) -> None:
        await when_closed(self._client, self._workflow_id, run_id)
        self._due.set()

    async def _pace(self, more: bool) -> None:  # noqa: FBT001 - a Pace
        """Let whoever waits look at what has come by now, then leave the server alone for a while.

        Not after the close, nor while there is `more`, nor when somebody comes who waits, too. Between two executions
        there is nothing to look at: the one that was left is no present.
        """
        entered, self._entered = self._entered, False
        if entered and self.fold.request is not None:
            return
        self._tell()
        if more:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(until_next_look_s(self._began_s)):
                await self._due.wait()
        if self._closing is None or not self._closing.done():
            self._due.clear()

    def _tell(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
