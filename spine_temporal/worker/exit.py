"""The end of a process that used the SDK."""

import atexit
import logging
import os
import sys
from typing import NoReturn

_at_exit = False


def leave(code: int = 0) -> NoReturn:
    """End this process now with that exit code, everything written flushed.

    Not by `sys.exit`: threads of the SDK's core outlive the event loop, and one that calls back while the interpreter
    finalizes crashes it (temporalio/sdk-python#300), exit code and all. Nor would an activity's thread that never
    returns let it end.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Whoever read it is gone, or it is closed: nothing is left to save.
            continue
    os._exit(code)


def leave_at_exit() -> None:
    """Let this process run to its end as usual, but spare it the interpreter's finalizer; see `leave`.

    Its exit code is then 1 if an exception ended it, else 0: a code given to `sys.exit` cannot be seen from here.
    """
    global _at_exit
    if not _at_exit:
        _at_exit = True
        atexit.register(_leave_last)


def _leave_last() -> NoReturn:
    # Handlers run last registered, first called; the ones registered before this one must still have their turn. One
    # that was registered after it, while the program was ending, runs a second time.
    atexit.unregister(_leave_last)
    atexit._run_exitfuncs()  # noqa: SLF001 - the only way to run them
    leave(1 if getattr(sys, "last_exc", None) is not None else 0)
