"""Activity slots of a worker: what waits for another run holds none."""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from temporalio.worker import (
    CustomSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
)

from spine_temporal.slots import SLOTS


class ActivitySlots(CustomSlotSupplier):
    """So many activities at once, beside those that wait for another run.

    Without that, tools that ask a durable agent on their own task queue, as many as there are slots, wait for ever for
    a step that no slot is left for. One whose run is over goes on at once, also when by then all slots are taken.
    """

    def __init__(self, count: int) -> None:
        self.asked = False
        """Whether one was ever asked for, as the SDK does for each poll before it begins."""
        self._free = count
        # The SDK's core asks from threads of its own.
        self._lock = threading.Lock()
        self._lent: Counter[bytes] = Counter()
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:  # noqa: D102, ARG002
        loop = asyncio.get_running_loop()
        self.asked = True
        while True:
            with self._lock:
                if self._free > 0:
                    self._free -= 1
                    return SlotPermit()
                turn = loop.create_future()
                self._waiting.append((loop, turn))
            try:
                await turn
            except asyncio.CancelledError:
                # It may have been its turn.
                self._wake()
                raise

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:  # noqa: D102, ARG002
        with self._lock:
            if self._free <= 0:
                return None
            self._free -= 1
            return SlotPermit()

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:  # noqa: D102
        pass

    def release_slot(self, ctx: SlotReleaseContext) -> None:  # noqa: D102, ARG002
        self._add(1)

    @contextmanager
    def current(self) -> Iterator[None]:
        """While the body runs, and in the tasks that it starts, these are the slots that `waiting` lends from."""
        token = SLOTS.set(self)
        try:
            yield
        finally:
            SLOTS.reset(token)

    @contextmanager
    def lent(self, task_token: bytes) -> Iterator[None]:
        """While the body runs, the slot of that activity is another's: one slot, however often it waits at once."""
        self._count(task_token, 1)
        try:
            yield
        finally:
            self._count(task_token, -1)

    def _count(self, task_token: bytes, change: int) -> None:
        with self._lock:
            before = self._lent[task_token]
            self._lent[task_token] += change
            if not self._lent[task_token]:
                del self._lent[task_token]
        if not before:
            self._add(1)
        elif not before + change:
            self._add(-1)

    def _add(self, count: int) -> None:
        with self._lock:
            self._free += count
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._free <= 0 or not self._waiting:
                return
            loop, turn = self._waiting.popleft()
        # A loop that is closed has nobody who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_let_pass, turn)


def _let_pass(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_result(None)
