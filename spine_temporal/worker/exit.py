"""The end of a process that is ours: a worker's, a command's."""

import atexit
import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final, NoReturn

# Long enough for an exporter of spans to send its last batch, short enough for an orchestrator's patience.
_EXIT_HANDLERS_S: Final = 5.0


def leave(code: int = 0) -> NoReturn:
    """End this process now with that exit code: its exit handlers have run, everything written is flushed.

    Not by `sys.exit`: threads of the SDK's core outlive the event loop, and one that calls back while the interpreter
    finalizes crashes it (temporalio/sdk-python#300), exit code and all. Nor would an activity's thread that never
    returns let it end. Exit handlers (an exporter of spans has one, to send what it holds) have five seconds.
    """
    overdue = threading.Timer(_EXIT_HANDLERS_S, leave_at_once, [code])
    overdue.daemon = True
    overdue.start()
    # A handler that fails has printed why.
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()  # noqa: SLF001 - the only way to run them
    leave_at_once(code)


def leave_at_once(code: int) -> NoReturn:
    """The same without exit handlers. Servers that were started beside this process end with it."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Whoever read it is gone, or it is closed: nothing is left to save.
            continue
    for pid in _leaders_below(os.getpid()):
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGTERM)
    os._exit(code)


def _leaders_below(parent: int) -> list[int]:
    """The children that lead a session of their own, as MCP servers on stdio do: a signal to our group misses them.

    Only where there is a /proc to read.
    """
    found: list[int] = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # pid (name) state ppid pgrp session; a name may have spaces and parentheses.
            before, _, after = file.read_text().rpartition(")")
            pid, fields = int(before.split(" ", 1)[0]), after.split()
            if int(fields[1]) == parent and int(fields[3]) == pid:
                found.append(pid)
    return found
