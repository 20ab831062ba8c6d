"""What comes of an activity, reported to the server on a way on which it hears of it."""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta

from temporalio import activity
from temporalio.client import AsyncActivityHandle
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from spine_temporal.activities.heartbeat import present_heart
from spine_temporal.activities.unreadable import postponed
from spine_temporal.errors import PayloadUnreadable

_log = logging.getLogger(__name__)

type Work[Self] = Callable[[Self, RawValue], Awaitable[RawValue]]
type Report = Callable[[AsyncActivityHandle, timedelta], Coroutine[None, None, None]]


def reported[Self](name: str) -> Callable[[Work[Self]], Work[Self]]:
    """The decorator of the activity `name`: its outcome reaches the server also when the SDK has given the attempt up.

    The SDK's core knows only of beats that go through the event loop. An attempt whose loop was held for longer than
    its heartbeat timeout, and some seconds that core adds, is dead to it, although the watchdog kept it alive for the
    server: core would drop its outcome without a word, and the work would be done again.
    """

    def decorate(work: Work[Self]) -> Work[Self]:
        @functools.wraps(work)
        async def reporting(self: Self, value: RawValue) -> RawValue:
            try:
                try:
                    result = await work(self, value)
                except PayloadUnreadable as unreadable:
                    raise postponed(unreadable) from None
            except ApplicationError as error:
                await _tell(_failing(error))
                raise
            await _tell(lambda handle, limit: handle.complete(result, rpc_timeout=limit))
            return result

        return activity.defn(name=name)(reporting)

    return decorate


def _failing(error: ApplicationError) -> Report:
    heart = present_heart()
    # Else the next attempt would not know what this one has handed over.
    details = heart.attempt.details() if heart is not None else []
    return lambda handle, limit: handle.fail(error, last_heartbeat_details=details, rpc_timeout=limit)


async def _tell(say: Report) -> None:
    """Tell the server itself, if the SDK would not. It does not return, then: the SDK need report nothing."""
    heart = present_heart()
    if heart is None or heart.timeout_s is None or not heart.was_silent():
        return
    saying = asyncio.create_task(say(heart.handle, timedelta(seconds=heart.timeout_s)))
    while not saying.done():
        # The SDK cancels the task for the beats that it has missed, and may do so just now.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({saying})
    error = saying.exception()
    if error is not None:
        # A later attempt in this process finds the outcome.
        _log.debug("the server does not take what came of the attempt", exc_info=error)
        return
    activity.raise_complete_async()
