"""The signals that end a process of ours, noticed even while a tool holds the loop."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from typing import Final, NoReturn

from spine_temporal.worker.exit import leave, leave_at_once

_log = logging.getLogger(__name__)

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Signalled(asyncio.Event):
    """Set by the first signal; `number` says which."""

    number: int = 0

    def set_by(self, number: int) -> None:
        """That signal came."""
        self.number = number
        self.set()


def leave_on_sigterm() -> None:
    """Have SIGTERM end this process at once with exit code 0, until `until_signalled` says otherwise.

    For the time in which nothing is in hand yet. As the first process of a container it would not end by itself: the
    kernel keeps a signal without a handler from that one.
    """

    def leave_at_sigterm(_: int) -> NoReturn:
        _log.info("SIGTERM came before the worker was ready; nothing was in hand")
        leave()

    _Watch(leave_at_sigterm, 0, [signal.SIGTERM]).start()


@contextlib.contextmanager
def until_signalled(deadline_s: float, at_once: Callable[[], object] = lambda: None) -> Iterator[Signalled]:
    """An event that the first SIGTERM or SIGINT sets; from then on the body has `deadline_s` seconds.

    After them the process ends, whatever still runs. A second signal ends it at once, with exit code 1. For processes
    that are ours alone: the handlers stay. `at_once` is called at the first signal, too, by a thread, also while the
    loop is held.
    """
    loop, signalled = asyncio.get_running_loop(), Signalled()

    def tell(number: int) -> None:
        at_once()
        loop.call_soon_threadsafe(signalled.set_by, number)

    watch = _Watch(tell, deadline_s, _SIGNALS)
    watch.start()
    try:
        yield signalled
    finally:
        watch.over.set()


class _Watch(threading.Thread):
    """Notices the signals whoever holds the main thread, where Python runs its handlers.

    The system's own handler writes each of them to a socket, and this thread reads it.
    """

    def __init__(self, tell: Callable[[int], object], deadline_s: float, numbers: Collection[signal.Signals]) -> None:
        super().__init__(name="signals", daemon=True)
        self.over = threading.Event()
        self._tell, self._deadline_s, self._numbers = tell, deadline_s, numbers
        self._read, self._written = socket.socketpair()
        self._written.settimeout(0)
        signal.set_wakeup_fd(self._written.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda *_: None)

    def run(self) -> None:
        first = self._next(None)
        self._tell(first)
        if self._next(time.monotonic() + self._deadline_s):
            leave_at_once(1)
        if not self.over.is_set():
            _log.warning(
                "ended %g s after the signal with work in hand; another worker takes it over", self._deadline_s
            )
            leave()

    def _next(self, until_s: float | None) -> int:
        """The number of the next signal; 0: none came in time."""
        while True:
            self._read.settimeout(None if until_s is None else max(0.001, until_s - time.monotonic()))
            try:
                number = self._read.recv(1)[0]
            except TimeoutError:
                return 0
            if number in self._numbers:
                return number
