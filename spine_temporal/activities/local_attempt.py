"""A tool call made within a workflow task: once, or else as an ordinary activity."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from spine_temporal.activities.current import Attempt
from spine_temporal.activities.hooks import begin, in_words
from spine_temporal.contracts import names
from spine_temporal.contracts.limits import MAX_LOCAL_RESULT_BYTES
from spine_temporal.contracts.progress import AttemptProgress

_log = logging.getLogger(__name__)


async def run_once[Outcome](
    work: Callable[[Attempt], Awaitable[Outcome]], write: Callable[[Outcome], Awaitable[tuple[Outcome, bytes]]]
) -> tuple[Outcome, bytes]:
    """Do `work`; what keeps it from an outcome is raised, for an ordinary activity has attempts, and time, for it.

    Raises:
        ApplicationError: there is no outcome, or one that is too large to be reported within a workflow task.
    """
    attempt = Attempt(AttemptProgress(), 1, time.monotonic(), 0.0)
    task = begin(work, attempt)
    try:
        if not task.done():
            await asyncio.wait({task})
    except asyncio.CancelledError:
        attempt.cancelled = True
        task.cancel()
        task.add_done_callback(_let_go)
        if not attempt.in_thread:
            await asyncio.wait({task})
        details = activity.cancellation_details()
        if details is None or not details.timed_out:
            raise
        raise _not_locally("it took too long") from None
    try:
        outcome, data = await write(task.result())
    except Exception as error:  # noqa: BLE001 - whatever it is, an ordinary activity deals with it
        _log.debug("what a local activity raised", exc_info=error)
        raise _not_locally(in_words(error)) from None
    if len(data) > MAX_LOCAL_RESULT_BYTES:
        raise _not_locally(f"its outcome has {len(data):,} bytes, here it may have {MAX_LOCAL_RESULT_BYTES:,}")
    return outcome, data


def _not_locally(why: str) -> ApplicationError:
    # The workflow logs it, with what comes next.
    benign = ApplicationErrorCategory.BENIGN
    return ApplicationError(why, type=names.NOT_LOCALLY, non_retryable=True, category=benign)


def _let_go(task: "asyncio.Task[object]") -> None:
    # A thread that nothing could interrupt is over, too late for anybody to want what came of it.
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.debug("what a cancelled local activity raised", exc_info=error)
