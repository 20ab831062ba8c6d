"""What a worker process tells systemd: that it is ready, that it lives, that it ends.

Without NOTIFY_SOCKET, which systemd sets for a unit of `Type=notify`, it tells nobody.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from spine_temporal.worker.health import LOOP_HELD_S

_SOCKET: Final = "NOTIFY_SOCKET"
_WATCHDOG: Final = "WATCHDOG_USEC"


@contextmanager
def service_manager(loop_age_s: Callable[[], float], loop_held_s: float = LOOP_HELD_S) -> Iterator[None]:
    """Tell systemd that the process is ready now, that it lives while its loop turns, and at the end that it ends.

    A loop that is held for `loop_held_s` does not turn: systemd then starts another process, as `/livez` has others do.
    From a thread: the loop may be held by a tool for longer than systemd waits for a word.
    """
    path = os.environ.get(_SOCKET)
    if not path:
        yield
        return
    _tell(path, "READY=1")
    ended = threading.Event()
    watchdog = threading.Thread(
        target=_live, args=(path, lambda: loop_age_s() < loop_held_s, ended), name="spine_watchdog_of_systemd"
    )
    watchdog.start()
    try:
        yield
    finally:
        ended.set()
        watchdog.join()
        _tell(path, "STOPPING=1")


def _live(path: str, turns: Callable[[], bool], ended: threading.Event) -> None:
    wanted_us = os.environ.get(_WATCHDOG, "")
    # Twice within the time, as sd_watchdog_enabled(3) recommends.
    pause_s = int(wanted_us) / 2e6 if wanted_us.isdecimal() and int(wanted_us) else None
    while pause_s is not None and not ended.wait(pause_s):
        if turns():
            _tell(path, "WATCHDOG=1")


def _tell(path: str, state: str) -> None:
    # A name that begins with @ is abstract: it is in no folder.
    address = f"\0{path[1:]}" if path.startswith("@") else path
    # A manager that does not listen is no reason not to work.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, suppress(OSError):
        sender.sendto(state.encode(), address)
