"""What is read of a run once, for everybody in this process who waits for it or follows it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary

from temporalio.client import Client

from spine_temporal.client.live_history import LiveHistory
from spine_temporal.client.pollers import warn_if_no_worker
from spine_temporal.client.read_ahead import ReadAhead
from spine_temporal.client.shared_call import SharedCall
from spine_temporal.client.status_watch import StatusWatch


class SharedReads:
    """One workflow as everybody on this event loop reads it with one client."""

    def __init__(self, client: Client, workflow_id: str) -> None:
        self.readers = 0
        self.warning: asyncio.Task[None] | None = None
        self.status = StatusWatch(client, workflow_id)
        self._client = client
        self._workflow_id = workflow_id
        self._live: dict[str, LiveHistory] = {}
        self._ahead: dict[str, ReadAhead] = {}
        self._revisions: set[str] = set()
        self._calls: dict[Hashable, SharedCall[Any]] = {}

    @contextmanager
    def live(self, start: str) -> Iterator[LiveHistory]:
        """The history from the execution `start` on, shared by all who follow it from there."""
        live = self._live.get(start)
        if live is None or live.over:
            live = self._live[start] = LiveHistory(self._client, self._workflow_id, start)
        try:
            with live.followed():
                yield live
        finally:
            if not live.followers and self._live.get(start) is live:
                del self._live[start]

    @contextmanager
    def ahead(self, run_id: str) -> Iterator[ReadAhead]:
        """The history from the execution `run_id` on, shared by all who wait for what it was given a moment ago."""
        ahead = self._ahead.setdefault(run_id, ReadAhead(self._client, self._workflow_id, run_id))
        try:
            with ahead.attended():
                yield ahead
        finally:
            if not ahead.waiting and self._ahead.get(run_id) is ahead:
                del self._ahead[run_id]

    def got_on(self) -> bool:
        """Whether a worker is known to have got the run on since this was asked last."""
        progress = [ahead.fold.ledger.progress for ahead in self._ahead.values()]
        before, self._revisions = self._revisions, {each.revision for each in progress if each.spec is not None}
        return not self._revisions <= before

    async def once[T](self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` gives; everybody who asks with that key before it begins is given the same."""
        answer: T = await self._calls.setdefault(key, SharedCall(call))()
        return answer


_shared: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[int, str], SharedReads]]] = WeakKeyDictionary()


@contextmanager
def shared_reads(client: Client, workflow_id: str) -> Iterator[SharedReads]:
    """What there is in common, for as long as somebody waits there; a warning is logged when no worker is at work."""
    known, key = _shared.setdefault(asyncio.get_running_loop(), {}), (id(client), workflow_id)
    reads = known.setdefault(key, SharedReads(client, workflow_id))
    reads.readers += 1
    if reads.readers == 1:
        reads.warning = asyncio.create_task(warn_if_no_worker(client, workflow_id, reads.got_on))
    try:
        yield reads
    finally:
        reads.readers -= 1
        if not reads.readers:
            del known[key]
            if reads.warning is not None:
                reads.warning.cancel()
                # It refers to them, too.
                reads.warning = None
