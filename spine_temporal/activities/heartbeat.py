"""The heartbeats of one attempt: from its event loop, or from outside while that is held."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import timedelta
from functools import cached_property
from typing import Final, cast

from pydantic import ValidationError
from temporalio import activity
from temporalio.client import AsyncActivityCancelledError, AsyncActivityHandle
from temporalio.converter import ActivitySerializationContext
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.activities import watchdog
from spine_temporal.activities.current import Attempt
from spine_temporal.connection.worker_converter import beating, worker_client
from spine_temporal.contracts.progress import AttemptProgress
from spine_temporal.errors import PayloadUnreadable
from spine_temporal.payloads import came_as

_log = logging.getLogger(__name__)

_BEATS_PER_TIMEOUT: Final = 5
_FIRST: Final = AttemptProgress()


class Heart:
    """Beats from now on, until it is stopped. By timer: a task for each of many short activities would cost more.

    In the event loop, and with the reason, `ended` is called once the server wants this attempt to end, `unknown` once
    it knows the attempt no more: it gave the work to another one, or the run is over.
    """

    def __init__(self, attempt: Attempt, ended: Callable[[str], None], unknown: Callable[[str], None]) -> None:
        self.attempt = attempt
        self.deaf = False
        """The SDK will not pass a cancellation on any more: the watchdog beats, and hears of it."""
        self._activity = info = activity.info()
        self.workflow_id, self.activity_type = info.workflow_id, info.activity_type
        timeout = info.heartbeat_timeout
        self.timeout_s = timeout.total_seconds() if timeout is not None else None
        self._ended, self._unknown = ended, unknown
        self._loop = asyncio.get_running_loop()
        self._beat_s = self._answered_s = time.monotonic()
        self._longest_silence_s = 0.0
        self._over = False
        self._timer: asyncio.TimerHandle | None = None
        self._watchdog = None
        if self.timeout_s is None:
            return
        self._client = worker_client(activity.client())
        self._watchdog = watchdog.of(self._loop)
        if self._watchdog is not None:
            self._watchdog.add(self)
        _present.set(self)
        # The first beat is not due before the first pause: most activities are over by then and cost no request.
        self._wait()

    @cached_property
    def handle(self) -> AsyncActivityHandle:
        """The activity, as its client reaches it from any thread; its payloads are encoded as the worker does."""
        info = self._activity
        context = ActivitySerializationContext(
            namespace=info.namespace,
            workflow_id=info.workflow_id,
            workflow_type=info.workflow_type,
            activity_type=info.activity_type,
            activity_id=info.activity_id,
            activity_task_queue=info.task_queue,
            is_local=info.is_local,
        )
        return self._client.get_async_activity_handle(task_token=info.task_token).with_context(context)

    def stop(self) -> None:
        """Beat no more; neither `ended` nor `unknown` is called from now on.

        What refers to the heart is let go: the attempt and its outcome are freed when its timer is, not by the garbage
        collector. Left to that, a hundred objects a step took a worker 3 % of its CPU (measured).
        """
        self._over = True
        self._ended = self._unknown = _ignored
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watchdog is not None:
            self._watchdog.discard(self)

    def beat(self) -> None:
        """One ordinary beat, the next one in a fifth of the timeout."""
        if self._timer is not None:
            self._timer.cancel()
        self.attempt.beat()
        self._note_silence()
        self._beat_s = time.monotonic()
        self._wait()

    def beat_within(self, pause_s: float) -> None:
        """Beat when `pause_s` have passed since the last beat, if the next one is not due before."""
        if self._timer is None or self._over:
            return
        due_s = max(self._beat_s + pause_s, time.monotonic())
        if self._timer.when() > due_s:
            self._timer.cancel()
            self._timer = self._loop.call_at(due_s, self.beat)

    def was_silent(self) -> bool:
        """Whether its event loop had not beaten for as long as the timeout.

        The SDK's core, which hears of no other beat, may have given the attempt up, or the server begun another one.
        """
        self._note_silence()
        return self.timeout_s is not None and self._longest_silence_s >= self.timeout_s

    def _note_silence(self) -> None:
        self._longest_silence_s = max(self._longest_silence_s, time.monotonic() - self._beat_s)

    def is_overdue(self) -> bool:
        """Whether nobody has beaten for half of the timeout."""
        due_s = self._answered_s if self.deaf else max(self._beat_s, self._answered_s)
        return self.timeout_s is not None and time.monotonic() - due_s >= self.timeout_s / 2

    async def beat_from_outside(self) -> bool:
        """Beat by the activity's token, from whatever loop this is called in; whether the server wants the attempt.

        What it learns of a cancellation is handed to the activity's own loop.
        """
        if self.timeout_s is None:
            return True
        self._answered_s = time.monotonic()
        limit = timedelta(seconds=self.timeout_s)
        try:
            try:
                with beating(self.attempt.beaten):
                    await self.handle.heartbeat(*self.attempt.details(), rpc_timeout=limit)
            except (AsyncActivityCancelledError, RPCError):
                raise
            except Exception as error:  # noqa: BLE001 - a codec that will not work in this loop must not stop the beat
                _log.debug("could not encode the details of a heartbeat; it goes without them", exc_info=error)
                await self.handle.heartbeat(rpc_timeout=limit)
        except AsyncActivityCancelledError as error:
            return self._learned(f"the server wants it to end: {error.details}", self._ended)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return self._learned("the server has given it to another attempt, or its run is over", self._unknown)
            # A server that is not to be reached tells nothing about the attempt.
            _log.debug("a heartbeat could not be sent; the next one may", exc_info=error)
        return True

    def _learned(self, why: str, tell: Callable[[str], None]) -> bool:
        if not self._over:
            self._loop.call_soon_threadsafe(self._say, why, tell)
        return False

    def _say(self, why: str, tell: Callable[[str], None]) -> None:
        if not self._over:
            tell(why)

    def _wait(self) -> None:
        if self.timeout_s is not None:
            self._timer = self._loop.call_later(self.timeout_s / _BEATS_PER_TIMEOUT, self.beat)


def _ignored(_: str) -> None:
    """What a heart that was stopped calls."""


_present: ContextVar[Heart | None] = ContextVar("spine_temporal_heart", default=None)


def present_heart() -> Heart | None:
    """The heart of the activity that the present task carries out, also when it beats no more."""
    return _present.get()


def progress_of(details: Sequence[object]) -> tuple[AttemptProgress, int]:
    """What the last beat of an earlier attempt carried, as the user's converter gives it to us.

    With the number of attempts that a codec postponed.

    Raises:
        PayloadUnreadable: only another worker's codec can read it.
    """
    progress, codec_away = _FIRST, 0
    for each in details:
        if came_as(each) is not None:
            raise PayloadUnreadable(str(cast("dict[str, str]", each)["why"]))
        if isinstance(each, dict) and each.keys() == {"uncounted"}:
            codec_away = int(each["uncounted"])
            continue
        if isinstance(each, dict) and "written" in each:
            continue
        try:
            progress = AttemptProgress.model_validate(each)
        except ValidationError as error:
            _log.warning(
                "the details of an earlier attempt's heartbeat cannot be read; going on without", exc_info=error
            )
    return progress, codec_away
