"""One attempt of an activity: how it is carried out, fails or is handed over."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Final, NoReturn

from temporalio import activity
from temporalio.exceptions import ApplicationError

from spine_temporal.activities.current import Attempt
from spine_temporal.activities.earlier_attempts import STOPPED_MIDWAY, given_up, with_last_ending
from spine_temporal.activities.encoding import encodable
from spine_temporal.activities.failures import Transient, passing
from spine_temporal.activities.heartbeat import Heart, progress_of
from spine_temporal.activities.hooks import begin, in_words
from spine_temporal.activities.predecessors import Work, forget, present_work, remember
from spine_temporal.activities.sealed_log import in_log
from spine_temporal.activities.unreadable import pause_for_codec
from spine_temporal.connection.worker_converter import CodecAway
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.postponing import RetryLater

__all__ = ["Attempt", "activity_attempt", "run_with_attempts"]

_log = logging.getLogger(__name__)

_AT_ONCE: Final = timedelta(milliseconds=1)
_NEARLY: Final = 0.9
# The server cuts a failure at 4 KB where it shows it, and refuses one of more than 2 MB, attempt and all.
_FAILURE_TEXT: Final = 8_000


@asynccontextmanager
async def activity_attempt() -> AsyncIterator[Attempt]:
    """Beat while the body runs. When the worker stops in the midst of it, another worker gets the work at once."""
    attempt, task = _this_attempt(), asyncio.current_task()
    heart = Heart(attempt, ended=lambda _: _cancel(task), unknown=lambda _: _cancel(task))
    try:
        with _HandingOver(attempt):
            yield attempt
    finally:
        heart.stop()


async def run_with_attempts[Outcome, Written](
    policy: ActivityPolicy,
    work: Callable[[Attempt], Awaitable[Outcome]],
    lost: Callable[[str], Outcome],
    write: Callable[[Outcome], Awaitable[Written]],
) -> Written:
    """Do `work`. While attempts are left, a passing failure goes back to Temporal; any other becomes an outcome.

    So an activity of ours never fails for good: a run always gets something to go on with. That this worker does not
    know the agent, or cannot build it, passes too: another worker may. Whatever else `work` raises is its outcome, no
    `Exception` included. `write` makes of an outcome what is reported, while the heart still beats.
    """
    attempt = _this_attempt()
    carried_out = _CarriedOut(attempt)

    async def work_and_write(attempt: Attempt) -> Written:
        return await write(await work(attempt))

    try:
        with _HandingOver(attempt):
            try:
                return await _carry_out(carried_out, policy, work_and_write)
            except _Lost as lost_with:
                return await write(lost(str(lost_with)))
    finally:
        carried_out.let_go()


class _Lost(Exception):
    """There is no outcome but this sentence."""


def _lose(why: str) -> NoReturn:
    raise _Lost(why)


async def _carry_out[Written](
    carried_out: "_CarriedOut", policy: ActivityPolicy, work: Callable[[Attempt], Awaitable[Written]]
) -> Written:
    attempt = carried_out.attempt
    try:
        if attempt.number > 1 and carried_out.joins(policy):
            return await carried_out.outcome_of(work)
        if attempt.number > 1:
            attempt.progress = await with_last_ending(attempt.progress, policy)
            # What is known of earlier attempts must outlast this one, however short it is.
            carried_out.heart.beat()
        if attempt.is_one_too_many(policy):
            _lose(given_up(attempt.progress, policy))
        return await carried_out.outcome_of(work)
    except asyncio.CancelledError:
        if policy.at_most_once and attempt.called and attempt.handed_over():
            raise _Lost(STOPPED_MIDWAY) from None
        raise
    except (ApplicationError, RetryLater, _Lost):
        raise
    except Exception as error:  # noqa: BLE001 - a passing one goes to Temporal, any other into the outcome
        why = passing(error, policy)
        if why is None or not attempt.has_another(policy):
            raise _Lost(shortened(in_words(error))) from None
        text = in_log(error, shortened(in_words(error)))
        _log.warning("attempt %d failed and is made again: %s", attempt.number, text)
        _log.debug("what attempt %d raised", attempt.number, exc_info=error)
        # A failure that cannot be encoded would count, and say nothing of its reason.
        await encodable()
        # Without the chain: with an SDK's dozen of causes, the server replaces the whole failure by a
        # sentence about its size.
        raise _again(error, why) from None


class _CarriedOut:
    """Work in a task of its own, so that a cancellation can be looked at before the work gets it."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self._work: Work | None = None
        self.heart = Heart(attempt, ended=self._cancel, unknown=self._superseded)

    def joins(self, policy: ActivityPolicy) -> bool:
        """Whether an earlier attempt's work goes on here, or its outcome is there; it is this one's, then."""
        work = present_work()
        if work is None or _failed_in_passing(work, policy):
            return False
        self._work = work
        _log.warning("attempt %d waits for what attempt %d still does", self.attempt.number, self._work.attempt.number)
        self._work.owner, self._work.late = self, True
        return True

    async def outcome_of[Outcome](self, work: Callable[[Attempt], Awaitable[Outcome]]) -> Outcome:
        if self._work is None:
            self._work = Work(begin(work, self.attempt), self.attempt, self)
            remember(self._work)
        task: asyncio.Task[Outcome] = self._work.task
        try:
            while not task.done():
                try:
                    await self._until(task)
                except asyncio.CancelledError:
                    if self._work.owner is not self:
                        raise
                    if not await self._goes_on():
                        self._cancel("its activity is cancelled")
        finally:
            if self._work.owner is self:
                self._work.late = self._work.late or self.heart.was_silent() or _took_too_long(self.attempt)
                forget(self._work)
        return task.result()

    def let_go(self) -> None:
        """The attempt is over. Its work may go on, and refers to this one; it must not be held by it, too."""
        self.heart.stop()
        self._work = None

    async def _until(self, task: "asyncio.Task[object]") -> None:
        if not self.heart.deaf:
            await asyncio.wait({task})
            return
        await done_or_stopping(task)
        if not task.done():
            self._cancel("the worker is stopping")
            await asyncio.wait({task})

    async def _goes_on(self) -> bool:
        """Whether the work is to go on although the SDK cancels the activity."""
        details = activity.cancellation_details()
        given_up = details is not None and not details.cancel_requested and not activity.is_worker_shutdown()
        # Nothing can interrupt the thread of a sync tool: given up or handed over now, the work would be done twice,
        # side by side. The next attempt waits for it.
        if self._work is not None and self._work.attempt.in_thread:
            self._work.late = self._work.late or given_up
            self.heart.deaf = self.heart.deaf or given_up
            return given_up or self.attempt.handed_over()
        if details is None or not given_up or not details.timed_out:
            return False
        # The SDK's core knows nothing of the watchdog's beats, and says "not found" also where it only guesses that the
        # server has given the attempt up. The server decides; from now on core passes no cancellation on, so the
        # watchdog has to.
        self.heart.deaf = True
        return await self.heart.beat_from_outside()

    def _superseded(self, why: str) -> None:
        if self._work is not None and self._work.attempt.in_thread:
            self._work.late = True
        else:
            self._cancel(why)

    def _cancel(self, why: str) -> None:
        work = self._work
        if work is not None and work.owner is self and not work.task.done():
            _log.debug("attempt %d ends: %s", self.attempt.number, why)
            work.attempt.cancelled = True
            work.task.cancel()


def _failed_in_passing(work: Work, policy: ActivityPolicy) -> bool:
    """Whether it is over, with a failure that this attempt is for."""
    error = work.task.exception() if work.task.done() else None
    if isinstance(error, RetryLater):
        return True
    return error is not None and passing(error, policy) is not None


def _took_too_long(attempt: Attempt) -> bool:
    limit = activity.info().start_to_close_timeout
    # The server's clock for it began to run a little earlier.
    return limit is not None and time.monotonic() - attempt.began_s >= limit.total_seconds() * _NEARLY


class _HandingOver:
    """Turns what says that the work is to be done later, or elsewhere, into a failure that counts for none."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    def __enter__(self) -> None:
        """Nothing happens before."""

    def __exit__(self, _type: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        attempt = self._attempt
        if isinstance(error, asyncio.CancelledError) and attempt.handed_over():
            why = "the worker is stopping; the work goes to another"
            raise attempt.uncounted(why, names.WORKER_STOPPING, _AT_ONCE) from error
        if isinstance(error, CodecAway):
            raise attempt.uncounted(str(error), names.CODEC_AWAY, pause_for_codec(attempt.number)) from None
        if isinstance(error, RetryLater):
            raise attempt.uncounted(str(error), names.POSTPONED, timedelta(seconds=error.wait_s)) from None


async def done_or_stopping(task: "asyncio.Task[object]") -> None:
    """Wait until the task is done, or the worker stops."""
    stopping = asyncio.create_task(activity.wait_for_worker_shutdown())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()


def _cancel(task: "asyncio.Task[object] | None") -> None:
    if task is not None:
        task.cancel()


def _again(error: Exception, passing: Transient) -> ApplicationError:
    pause = None if passing.retry_after_s is None else timedelta(seconds=passing.retry_after_s)
    return ApplicationError(shortened(in_words(error)), type=names.STEP_FAILED, next_retry_delay=pause)


def shortened(text: str) -> str:
    """As much of `text` as a failure should hold."""
    return text if len(text) <= _FAILURE_TEXT else f"{text[:_FAILURE_TEXT]}… ({len(text):,} characters)"


def _this_attempt() -> Attempt:
    info = activity.info()
    waited = info.started_time - info.scheduled_time
    progress, codec_away = progress_of(info.heartbeat_details)
    return Attempt(progress, info.attempt, time.monotonic(), max(0.0, waited.total_seconds()), codec_away=codec_away)
