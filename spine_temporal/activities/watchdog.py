"""A thread that beats for the activities of an event loop which does not turn."""

import asyncio
import contextlib
import logging
import sys
import sysconfig
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Final, Protocol

from spine_temporal.activities.current import Attempt, attempt_of

_log = logging.getLogger(__name__)

_LOOKS_PER_TIMEOUT: Final = 10
_LOOK_AT_LEAST_EVERY_S: Final = 0.5
# A workflow task that gets no answer for two seconds fails as a deadlock: from there on a held loop harms others.
_LONG_S: Final = 2.0
_JOIN_S: Final = 5.0
_REMEDY: Final = "give the tool a longer `@durable(heartbeat_s=...)`, or run it in a process of its own"
_OTHERS_CODE: Final = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


class Beating(Protocol):
    """What the watchdog keeps alive: an activity's heart."""

    @property
    def attempt(self) -> Attempt: ...  # noqa: D102
    @property
    def timeout_s(self) -> float | None: ...  # noqa: D102
    @property
    def workflow_id(self) -> str | None: ...  # noqa: D102
    @property
    def activity_type(self) -> str: ...  # noqa: D102

    def is_overdue(self) -> bool: ...  # noqa: D102
    async def beat_from_outside(self) -> bool: ...  # noqa: D102


class Watchdog:
    """Beats for the activities of one event loop when the loop has not, and says in the log who holds it.

    Its thread has a loop of its own. While the watched loop turns it wakes a few times a second and sends nothing.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.users = 0
        self._watched = loop
        self._watched_thread = threading.get_ident()
        self._hearts: set[Beating] = set()
        self._look_every_s = _LOOK_AT_LEAST_EVERY_S
        self._turned_s = time.monotonic()
        self._asked = False
        self._held_since_s: float | None = None
        self._beats: set[asyncio.Task[bool]] = set()
        self._over = False
        self._watching: tuple[asyncio.AbstractEventLoop, asyncio.Task[None] | None] | None = None
        self._thread = threading.Thread(target=self._run, name="spine-temporal-watchdog", daemon=True)
        self._thread.start()

    def add(self, heart: Beating) -> None:
        """Watch over `heart`. Called in the watched loop, as `discard` is."""
        self._hearts.add(heart)
        if heart.timeout_s is not None:
            self._look_every_s = min(self._look_every_s, heart.timeout_s / _LOOKS_PER_TIMEOUT)

    def discard(self, heart: Beating) -> None:
        """Watch over it no more."""
        self._hearts.discard(heart)

    def loop_age_s(self) -> float:
        """Seconds since the watched loop is known to have turned: under a second while it does. Any thread may ask."""
        return time.monotonic() - self._turned_s

    def stop(self) -> None:
        """End the thread."""
        self._over = True
        loop, task = self._watching or (None, None)
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        # The watched loop may be closed without a word to us.
        with contextlib.suppress(RuntimeError, asyncio.CancelledError):
            asyncio.run(self._watch())

    async def _watch(self) -> None:
        self._watching = asyncio.get_running_loop(), asyncio.current_task()
        looked_s = time.monotonic()
        while not self._over:
            await asyncio.sleep(self._look_every_s)
            now_s = time.monotonic()
            self._notice_stopped_interpreter(now_s - looked_s - self._look_every_s)
            looked_s = now_s
            if not self._asked:
                self._asked = True
                self._watched.call_soon_threadsafe(self._turn)
            self._notice_held_loop()
            for heart in list(self._hearts):
                if heart.is_overdue():
                    beat = asyncio.create_task(heart.beat_from_outside())
                    self._beats.add(beat)
                    beat.add_done_callback(self._beats.discard)

    def _turn(self) -> None:
        self._turned_s = time.monotonic()
        self._asked = False

    def _notice_held_loop(self) -> None:
        held_s = self.loop_age_s()
        if held_s < _LONG_S:
            if self._held_since_s is not None:
                _log.warning(
                    "the worker's event loop turns again; it was held for %.1f s", self._turned_s - self._held_since_s
                )
                self._held_since_s = None
        elif self._held_since_s is None:
            self._held_since_s = self._turned_s
            _log.warning(
                "%s has held the worker's event loop for %.1f s; until it lets go, nothing else here goes on; "
                "its activities are kept alive from a thread. Await in it, write it as a sync tool, or %s",
                self._holder(),
                held_s,
                _REMEDY,
            )

    def _notice_stopped_interpreter(self, late_s: float) -> None:
        hearts = [heart for heart in list(self._hearts) if heart.timeout_s is not None]
        if late_s < min((heart.timeout_s / 2 for heart in hearts if heart.timeout_s is not None), default=late_s + 1):
            return
        names = sorted({_named(heart.attempt.doing or heart.activity_type, heart.workflow_id) for heart in hearts})
        _log.warning(
            "this process ran no Python for %.1f s, so that no heartbeat could be sent; one of these keeps the "
            "interpreter, or the machine has stopped the process: %s. If it is one of them, %s",
            late_s,
            ", ".join(names),
            _REMEDY,
        )

    def _holder(self) -> str:
        task = asyncio.current_task(self._watched)
        attempt = attempt_of(task) if task is not None else None
        heart = next((each for each in list(self._hearts) if each.attempt is attempt), None)
        place = _place(sys._current_frames().get(self._watched_thread))  # noqa: SLF001 - documented for debuggers
        if heart is None and attempt is not None and attempt.doing:
            # A local activity has none.
            return f"{attempt.doing}{place}"
        if heart is None:
            return f"something{place}"
        return _named(heart.attempt.doing or heart.activity_type, heart.workflow_id) + place


def _named(what: str, workflow_id: str | None) -> str:
    return f"{what} of run {workflow_id!r}"


def _place(frame: FrameType | None) -> str:
    """Where the nearest code stands that is neither Python's own nor installed."""
    nearest = frame
    while frame is not None:
        if not frame.f_code.co_filename.startswith(("<", *_OTHERS_CODE)):
            return f" ({frame.f_code.co_filename}:{frame.f_lineno})"
        frame = frame.f_back
    return f" ({nearest.f_code.co_filename}:{nearest.f_lineno})" if nearest is not None else ""


_watchdogs: dict[asyncio.AbstractEventLoop, Watchdog] = {}


def of(loop: asyncio.AbstractEventLoop) -> Watchdog | None:
    """The watchdog of that loop; None: no worker of ours runs on it."""
    return _watchdogs.get(loop)


@asynccontextmanager
async def watching() -> AsyncIterator[Watchdog]:
    """While the body runs, the present event loop is watched. Workers that share a loop share its watchdog."""
    loop = asyncio.get_running_loop()
    watchdog = _watchdogs.get(loop) or _watchdogs.setdefault(loop, Watchdog(loop))
    watchdog.users += 1
    try:
        yield watchdog
    finally:
        watchdog.users -= 1
        if not watchdog.users:
            del _watchdogs[loop]
            watchdog.stop()
