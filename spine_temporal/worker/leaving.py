"""The end of a process that used the SDK."""

import logging
import os
import sys
from typing import NoReturn


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
