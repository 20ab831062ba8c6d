"""What is logged, as lines on stderr."""

import contextlib
import logging
import os
import sys
from typing import Final

from spine_temporal.format import one_line

_STYLES: Final = {logging.WARNING: "\x1b[33m", logging.ERROR: "\x1b[1;31m", logging.CRITICAL: "\x1b[1;31m"}
_OUR_ERRORS: Final = "spine."
_PLAIN: Final = "\x1b[0m"


def show_log(*, ours: str = "WARNING") -> None:
    """Print logged warnings as `warning: ...` lines on stderr, and of ours what is at least of that level."""
    logging.basicConfig(level=logging.WARNING, handlers=[LineHandler()], force=True)
    logging.getLogger("spine_temporal").setLevel(ours)


class LineHandler(logging.Handler):
    """One line per record; what repeats itself is printed once.

    It imports nothing when it prints: a workflow logs inside its sandbox, where an import of anything that is not in
    memory fails the workflow's task. Hence no rich.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last = ""
        self._styled = sys.stderr.isatty() and not os.environ.get("NO_COLOR")

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record; of an exception its type with what it says, not its traceback."""
        if _logged_before(record):
            return
        # What models and tools say is logged, too.
        line = one_line(_line(record))
        if line == self._last:
            return
        self._last = line
        if record.levelno >= logging.WARNING:
            label = f"{record.levelname.lower()}:"
            if self._styled:
                label = f"{_STYLES.get(record.levelno, '')}{label}{_PLAIN}"
            line = f"{label} {line}"
        # That nobody reads it any more is no reason not to go on.
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


def _logged_before(record: logging.LogRecord) -> bool:
    """Whether it is the SDK's report of an error that the activity raised after it had logged the cause itself."""
    error = record.exc_info[1] if record.exc_info else None
    return hasattr(record, "temporal_activity") and str(getattr(error, "type", "")).startswith(_OUR_ERRORS)


def _line(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    details = getattr(record, "temporal_activity", None)
    if error is not None and isinstance(details, dict):
        # The SDK's own words are a dump of everything it knows of the activity.
        where = f"{details.get('activity_type')} {details.get('activity_id')} of {details.get('workflow_id')}"
        return f"{where}, attempt {details.get('attempt')} failed: {_named(error)}"
    text = record.getMessage()
    return text if error is None else f"{text}: {_named(error)}"


def _named(error: BaseException) -> str:
    text = " ".join(str(error).split())
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f" ({where.tb_frame.f_code.co_filename}:{where.tb_lineno})" if where is not None else ""
    return f"{type(error).__name__}{f': {text}' if text else ''}{place}"
