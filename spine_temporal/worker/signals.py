"""The signals that stop a worker, heard even while a tool holds the loop."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from spine_temporal.worker.exit import leave

_log = logging.getLogger(__name__)

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def until_signalled(deadline_s: float) -> Iterator[asyncio.Event]:
    """An event that the first signal sets; from then on the body has `deadline_s` seconds.

    After them the process ends, whatever still runs. A second signal ends it at once, with exit code 1.
    """
    loop, signalled = asyncio.get_running_loop(), asyncio.Event()
    watch = _Watch(lambda: loop.call_soon_threadsafe(signalled.set), deadline_s)
    watch.start()
    try:
        yield signalled
    finally:
        watch.over.set()


class _Watch(threading.Thread):
    """Hears the signals whoever holds the main thread, where Python runs its handlers.

    The system's own handler writes each of them to a socket, and this thread reads it.
    """

    def __init__(self, tell: Callable[[], object], deadline_s: float) -> None:
        super().__init__(name="signals", daemon=True)
        self.over = threading.Event()
        self._tell, self._deadline_s = tell, deadline_s
        self._heard, self._written = socket.socketpair()
        self._written.settimeout(0)
        signal.set_wakeup_fd(self._written.fileno(), warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)

    def run(self) -> None:
        self._hear(None)
        self._tell()
        if self._hear(time.monotonic() + self._deadline_s):
            leave(1)
        if not self.over.is_set():
            _log.warning(
                "the worker did not end within %g s; another one takes over what it was doing", self._deadline_s
            )
            leave()

    def _hear(self, until_s: float | None) -> bool:
        while True:
            self._heard.settimeout(None if until_s is None else max(0.001, until_s - time.monotonic()))
            try:
                if self._heard.recv(1)[0] in _SIGNALS:
                    return True
            except TimeoutError:
                return False
