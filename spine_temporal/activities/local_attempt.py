"""A tool call made within a workflow task: once, or else as an ordinary activity."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from spine_temporal.activities.attempt import done_or_stopping, shortened
from spine_temporal.activities.current import Attempt
from spine_temporal.activities.failures import passing
from spine_temporal.activities.hooks import begin, in_words
from spine_temporal.activities.ledger_cache import RevisionNotFound
from spine_temporal.activities.sealed_log import in_log
from spine_temporal.contracts import names
from spine_temporal.contracts.limits import MAX_LOCAL_RESULT_BYTES
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.postponing import RetryLater
from spine_temporal.contracts.progress import AttemptProgress
from spine_temporal.contracts.tool_call import ToolOutcome

_log = logging.getLogger(__name__)
_STOPPING: Final = "the worker is stopping"
# Under a hundredth of a second, a call is not worth the bytes that say so.
_WORTH_SAYING_S: Final = 0.01

type Written = tuple[ToolOutcome, bytes]


async def run_once(
    policy: ActivityPolicy,
    work: Callable[[Attempt], Awaitable[ToolOutcome]],
    lost: Callable[[str], ToolOutcome],
    write: Callable[[ToolOutcome], Awaitable[Written]],
    *,
    grace_s: float,
) -> Written:
    """Do `work`; what keeps it from an outcome for now is raised: an ordinary activity has attempts, and time, for it.

    A worker that stops begins nothing here, and what is in hand gets `grace_s`.

    Raises:
        ApplicationError: there is no outcome, or one that is too large to be reported within a workflow task.
    """
    if activity.is_worker_shutdown():
        raise _not_locally(_STOPPING)
    attempt = Attempt(AttemptProgress(), 1, time.monotonic(), 0.0)
    task = begin(work, attempt)
    try:
        if not task.done():
            await _until_done(task, attempt, grace_s)
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
    if task.cancelled():
        raise _not_locally(_STOPPING)
    try:
        outcome, data = await write(_timed(_outcome(task, policy, lost), attempt))
    except RevisionNotFound:
        raise _not_locally("something came in between that no history holds yet") from None
    except Exception as error:  # noqa: BLE001 - whatever it is, an ordinary activity deals with it
        _log.debug("what a local activity raised", exc_info=error)
        text = shortened(in_words(error))
        raise _not_locally(in_log(error, text), text) from None
    if len(data) > MAX_LOCAL_RESULT_BYTES:
        raise _not_locally(f"its outcome has {len(data):,} bytes, here it may have {MAX_LOCAL_RESULT_BYTES:,}")
    return outcome, data


async def _until_done(task: "asyncio.Task[ToolOutcome]", attempt: Attempt, grace_s: float) -> None:
    await done_or_stopping(task)
    if not task.done():
        await asyncio.wait({task}, timeout=grace_s)
    if not task.done():
        # A thread goes on whatever happens: given up now, the call would be made twice, side by side.
        if not attempt.in_thread:
            attempt.cancelled = True
            task.cancel()
        await asyncio.wait({task})


def _outcome(
    task: "asyncio.Task[ToolOutcome]", policy: ActivityPolicy, lost: Callable[[str], ToolOutcome]
) -> ToolOutcome:
    try:
        return task.result()
    except (ApplicationError, RetryLater):
        raise
    except Exception as error:
        if passing(error, policy) is not None:
            raise
        return lost(shortened(in_words(error)))


def _timed(outcome: ToolOutcome, attempt: Attempt) -> ToolOutcome:
    took_s = round(time.monotonic() - attempt.began_s, 2)
    return outcome.model_copy(update={"took_s": took_s}) if took_s >= _WORTH_SAYING_S else outcome


def _not_locally(why: str, text: str = "") -> ApplicationError:
    """`why` is logged by the workflow, with what comes next; `text`, if it may not be, is recorded."""
    benign = ApplicationErrorCategory.BENIGN
    details = [text] if text and text != why else []
    return ApplicationError(why, *details, type=names.NOT_LOCALLY, non_retryable=True, category=benign)


def _let_go(task: "asyncio.Task[object]") -> None:
    # A thread that nothing could interrupt is over, too late for anybody to want what came of it.
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.debug("what a cancelled local activity raised", exc_info=error)
