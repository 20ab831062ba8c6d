"""One attempt of an activity: how it beats, fails or is handed over."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from spine_temporal.activities.failures import Transient, classify
from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.contracts.postponing import RetryLater
from spine_temporal.redact import redact

_log = logging.getLogger(__name__)

_BEATS_PER_TIMEOUT: Final = 5
_AT_ONCE: Final = timedelta(milliseconds=1)


@dataclass(slots=True)
class Attempt:
    """This attempt. `spent` counts it and the ones before it, without those that a stopping worker handed over."""

    handovers: int
    spent: int
    began_s: float
    waited_s: float
    """From the activity's scheduling to this attempt's start, by the server's clock."""

    def elapsed_s(self) -> float:
        """Seconds since the activity was scheduled. No worker's wall clock is asked."""
        return self.waited_s + time.monotonic() - self.began_s

    def handed_over(self) -> bool:
        """Whether it is cancelled for no other reason than that the worker stops."""
        details = activity.cancellation_details()
        return activity.is_worker_shutdown() and not (details is not None and details.cancel_requested)

    def uncounted(self, told: str, type_: str, delay: timedelta) -> ApplicationError:
        """What to raise for the work to be tried again after `delay`, with this attempt not counted."""
        self.handovers += 1
        # The server keeps the details of the last beat, also when the attempt fails right after it.
        activity.heartbeat(self.heartbeat_details)
        return ApplicationError(told, type=type_, next_retry_delay=delay, category=ApplicationErrorCategory.BENIGN)

    @property
    def heartbeat_details(self) -> dict[str, Any]:
        """What the next attempt has to know."""
        return {"handovers": self.handovers}


@asynccontextmanager
async def activity_attempt() -> AsyncIterator[Attempt]:
    """Beat while the body runs. When the worker stops in the midst of it, another worker gets the work at once."""
    attempt = _this_attempt()
    heart = _Heart(attempt)
    try:
        yield attempt
    except asyncio.CancelledError as cancelled:
        if not attempt.handed_over():
            raise
        told = "the worker is stopping; the work goes to another"
        raise attempt.uncounted(told, names.WORKER_STOPPING, _AT_ONCE) from cancelled
    except RetryLater as postponed:
        raise attempt.uncounted(str(postponed), names.POSTPONED, timedelta(seconds=postponed.wait_s)) from None
    finally:
        heart.stop()


async def run_with_attempts[Outcome: WireModel](
    policy: ActivityPolicy, work: Callable[[Attempt], Awaitable[Outcome]], lost: Callable[[str], Outcome]
) -> Outcome:
    """Do `work`. While attempts are left, a passing failure goes back to Temporal; any other becomes an outcome.

    So an activity of ours never fails for good: a run always gets something to go on with. That this worker does not
    know the agent, or cannot build it, passes too: another worker may.
    """
    async with activity_attempt() as attempt:
        if attempt.spent > policy.attempts:
            return lost(
                f"given up after {policy.attempts} attempts: each time the worker was lost, "
                f"or the attempt took longer than {policy.timeout_s:g} s"
            )
        try:
            return await work(attempt)
        except (ApplicationError, RetryLater):
            raise
        except Exception as error:  # noqa: BLE001 - a passing one goes to Temporal, any other into the outcome
            passing = classify(error, now_s=time.time())
            if passing is not None and attempt.spent < policy.attempts:
                _log.warning("attempt %d failed and is made again", activity.info().attempt, exc_info=error)
                # Without the chain: with an SDK's dozen of causes, the server replaces the whole failure by a
                # sentence about its size.
                raise _again(error, passing) from None
            return lost(redact(f"{type(error).__name__}: {error}"))


def _again(error: Exception, passing: Transient) -> ApplicationError:
    pause = None if passing.retry_after_s is None else timedelta(seconds=passing.retry_after_s)
    reason = redact(f"{type(error).__name__}: {error}")
    return ApplicationError(reason, type=names.STEP_FAILED, next_retry_delay=pause)


def _this_attempt() -> Attempt:
    info = activity.info()
    details = info.heartbeat_details[0] if info.heartbeat_details else {}
    handovers = details.get("handovers", 0) if isinstance(details, dict) else 0
    waited = info.started_time - info.scheduled_time
    return Attempt(handovers, max(1, info.attempt - handovers), time.monotonic(), max(0.0, waited.total_seconds()))


class _Heart:
    """Beats from now on, until it is stopped. By timer: a task for each of many short activities would cost more."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        timeout = activity.info().heartbeat_timeout
        self._pause_s = timeout.total_seconds() / _BEATS_PER_TIMEOUT if timeout is not None else None
        self._timer: asyncio.TimerHandle | None = None
        # The first beat is not due before the first pause: most activities are over by then and cost no request.
        self._wait()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        if self._pause_s is not None:
            self._timer = asyncio.get_running_loop().call_later(self._pause_s, self._beat)

    def _beat(self) -> None:
        activity.heartbeat(self._attempt.heartbeat_details)
        self._wait()
