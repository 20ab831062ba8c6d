"""How the suite waits: for a condition, with a bound that a machine ten times slower keeps."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Final, cast, overload

BOUND_S: Final = 120.0
_PAUSE_S: Final = 0.02


@overload
async def until[T](ask: Callable[[], Awaitable[T]], what: str) -> T: ...
@overload
async def until[T](ask: Callable[[], T], what: str) -> T: ...
async def until[T](ask: Callable[[], T | Awaitable[T]], what: str) -> T:
    """Ask until the answer is true; that answer.

    Raises:
        AssertionError: it never was; it says what was waited for.
    """
    give_up_s = time.monotonic() + BOUND_S
    while True:
        asked = ask()
        answer = cast("T", await asked if inspect.isawaitable(asked) else asked)
        if answer:
            return answer
        assert time.monotonic() < give_up_s, f"waited {BOUND_S:.0f} s in vain for: {what}"
        await asyncio.sleep(_PAUSE_S)
