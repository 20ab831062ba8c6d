"""The error with which a worker cannot go on, known before the SDK's has ended."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from spine_temporal.worker.grace import DEADLINE_S

type OnFatalError = Callable[[BaseException], Awaitable[None]]


class FatalError:
    """Given to the SDK's worker as `on_fatal_error`; `also` is the user's own.

    The core's last step may hang where the server refuses its polls. The worker then ends `graceful_shutdown_s` and ten
    seconds after the error, in any case, and raises it.
    """

    def __init__(self, graceful_shutdown_s: float, also: OnFatalError | None = None) -> None:
        self.error: BaseException | None = None
        self._end_s: Final = graceful_shutdown_s + DEADLINE_S
        self._also: Final = also
        self._came: Final = asyncio.Event()

    async def __call__(self, error: BaseException) -> None:
        """The worker cannot go on with it; called in the task that runs the worker."""
        self.error = error
        self._came.set()
        running = asyncio.current_task()
        if running is not None:
            asyncio.get_running_loop().call_later(self._end_s, running.cancel)
        if self._also is not None:
            await self._also(error)

    async def wait(self) -> None:
        """Until there is one."""
        await self._came.wait()

    @property
    def reason(self) -> str:
        """The server's words, or the core's."""
        return str(self.error if self.error is None else self.error.__cause__ or self.error)
