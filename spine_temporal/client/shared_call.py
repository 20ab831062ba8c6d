"""Something asked of the server once, for everybody who asks for it at the same time."""

import asyncio
from collections.abc import Awaitable, Callable


class SharedCall[T]:
    """What `call` gives, begun after it was asked for: whoever asks while one is under way shares the next."""

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self._call = call
        self._last: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """The answer; what `call` raises is raised to all who share it."""
        if self._next is None or self._next.cancelling():
            # Cancelled before it began, with whatever else there was on this event loop, which goes on.
            self._next = asyncio.create_task(self._after(self._last))
            # Whoever asked may be gone by then.
            self._next.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._next)

    async def _after(self, last: asyncio.Task[T] | None) -> T:
        if last is not None:
            await asyncio.wait({last})
        self._last, self._next = self._next, None
        return await self._call()
