"""Something asked of the server once, for everybody who asks for it at the same time."""

import asyncio
from collections.abc import Awaitable, Callable


class SharedCall[T]:
    """What `call` gives, begun after it was asked for: whoever asks while one is under way shares the next.

    One that everybody has given up is cancelled.
    """

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self._call = call
        self._turn = asyncio.Lock()
        self._next: _Asked[T] | None = None

    async def __call__(self) -> T:
        """The answer; what `call` raises is raised to all who share it."""
        asked = self._next
        if asked is None or asked.is_given_up:
            # Known before it runs: an event loop may run a task as soon as it is made.
            asked = self._next = _Asked()
            asked.task = asyncio.create_task(self._answer(asked))
        return await asked.answer()

    async def _answer(self, asked: "_Asked[T]") -> T:
        async with self._turn:
            if self._next is asked:
                self._next = None
            return await self._call()


class _Asked[T]:
    """A call with those who wait for its answer."""

    task: asyncio.Task[T]

    def __init__(self) -> None:
        self._waiting = 0

    @property
    def is_given_up(self) -> bool:
        """It was cancelled, also with whatever else there was on this event loop, which goes on."""
        return self.task.cancelling() > 0

    async def answer(self) -> T:
        self._waiting += 1
        try:
            await asyncio.wait({self.task})
        finally:
            self._waiting -= 1
            if not self._waiting:
                # Of one that has just gone wrong, it is no longer complained that nobody asked what was wrong.
                self.task.cancel()
        return self.task.result()
