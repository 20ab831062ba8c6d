"""The attempt that the present code runs in, with what it is doing."""

import asyncio
import contextlib
import time
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType

from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from spine_temporal.connection.worker_converter import BeatDetails, beating
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.progress import AttemptProgress, Writing
from spine_temporal.payloads import pack, uncounted


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt of an activity."""

    progress: AttemptProgress
    number: int
    """The server's number of it: 1 is the first."""
    began_s: float
    waited_s: float
    """From the activity's scheduling to this attempt's start, by the server's clock."""
    cancelled: bool = False
    """The cancellation of the activity has been passed on to the code that it runs."""
    doing: str = ""
    """Whose code runs: a tool, a hook, the provider; empty: ours."""
    in_thread: bool = False
    """That code runs in a thread, which nothing can interrupt."""
    called: bool = False
    """The tool, or the model, has been called: something may have been done by now."""
    codec_away: int = 0
    """How many earlier attempts postponed themselves because their worker's codec did not work."""
    writing: Writing | None = None
    """What the model writes, for whoever reads it along."""
    beaten: BeatDetails = field(default_factory=BeatDetails)

    def is_one_too_many(self, policy: ActivityPolicy) -> bool:
        """Whether `policy` leaves none for this one.

        What failed or took too long, and what was silent, are counted apart: neither uses up the other's attempts.
        """
        ended, missed = self._ended, self.progress.missed
        return ended >= 1 if policy.at_most_once else max(ended - missed, missed) >= policy.attempts

    def has_another(self, policy: ActivityPolicy) -> bool:
        """Whether `policy` leaves an attempt after this one, should it fail now."""
        return self._ended - self.progress.missed + 1 < policy.attempts and not (policy.at_most_once and self.called)

    @property
    def _ended(self) -> int:
        """How many attempts are over, without those that a stopping worker handed over."""
        return max(0, self.number - 1 - self.progress.handovers - self.codec_away)

    def elapsed_s(self) -> float:
        """Seconds since the activity was scheduled. No worker's wall clock is asked."""
        return self.waited_s + time.monotonic() - self.began_s

    def now_s(self) -> float:
        """Unix time by the server's clock: when it says this attempt began, and what has passed since."""
        return activity.info().started_time.timestamp() + time.monotonic() - self.began_s

    def handed_over(self) -> bool:
        """Whether it is cancelled for no other reason than that the worker stops."""
        details = activity.cancellation_details()
        return activity.is_worker_shutdown() and not (details is not None and details.cancel_requested)

    def details(self) -> list[RawValue]:
        """What a beat carries. Each replaces those of the beat before it."""
        # Of details that a worker of another version takes for the progress, the last counts.
        writing = [pack(self.writing)] if self.writing is not None else []
        return [*writing, pack(self.progress), *([uncounted(self.codec_away)] if self.codec_away else [])]

    def beat(self) -> None:
        """Send a heartbeat."""
        with beating(self.beaten):
            activity.heartbeat(*self.details())

    def uncounted(self, why: str, type_: str, delay: timedelta) -> ApplicationError:
        """What to raise for the work to be tried again after `delay`, with this attempt not counted."""
        if type_ == names.CODEC_AWAY:
            self.codec_away += 1
        else:
            self.progress = self.progress.model_copy(update={"handovers": self.progress.handovers + 1})
        # The server keeps the details of the last beat, also when the attempt fails right after it.
        self.beat()
        return ApplicationError(why, type=type_, next_retry_delay=delay, category=ApplicationErrorCategory.BENIGN)


_current: ContextVar[Attempt | None] = ContextVar("spine_temporal_attempt", default=None)


def context_of(attempt: Attempt) -> Context:
    """The present context, but for the current attempt: there, and in the tasks started there, it is `attempt`."""
    context = copy_context()
    context.run(_current.set, attempt)
    return context


class Doing:
    """While the body runs, the current attempt does `what`; `calling`: it calls the tool, or the model."""

    def __init__(self, what: str, *, in_thread: bool = False, calling: bool = False) -> None:
        self._what, self._in_thread, self._calling = what, in_thread, calling
        self._attempt = _current.get()

    def __enter__(self) -> None:
        attempt = self._attempt
        if attempt is not None:
            self._before = attempt.doing, attempt.in_thread
            attempt.doing, attempt.in_thread = self._what, self._in_thread
            attempt.called = attempt.called or self._calling

    def __exit__(self, _type: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._attempt is not None:
            self._attempt.doing, self._attempt.in_thread = self._before


def attempt_of(task: "asyncio.Task[object]") -> Attempt | None:
    """The attempt that a task belongs to, also when user code started the task. Any thread may ask."""
    return task.get_context().get(_current)


def is_asked_for(error: BaseException) -> bool:
    """Whether `error` is the cancellation of the present task that somebody has asked for, or the loop's end."""
    if isinstance(error, GeneratorExit):
        # Of a loop that has ended no task is at work: what is left of its coroutines is closed.
        return not _within_a_task()
    if isinstance(error, BaseExceptionGroup):
        return error.split(asyncio.CancelledError)[0] is not None and _is_cancelled()
    return isinstance(error, asyncio.CancelledError) and _is_cancelled()


async def forget_own_cancellation() -> None:
    """Take in a cancellation of the present task that users' code has asked for: what was done is done."""
    task = asyncio.current_task()
    if task is not None and task.cancelling() and not _is_cancelled():
        with contextlib.suppress(asyncio.CancelledError):
            # Asked for, it comes where the task waits next, or else instead of its result.
            await asyncio.sleep(0)


def _within_a_task() -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


def _is_cancelled() -> bool:
    attempt, task = _current.get(), asyncio.current_task()
    if attempt is None:
        return task is not None and task.cancelling() > 0
    if not attempt.cancelled and task is not None:
        # User code may cancel the very task that it runs in: what waits in this task later must not notice.
        while task.cancelling():
            task.uncancel()
    return attempt.cancelled
