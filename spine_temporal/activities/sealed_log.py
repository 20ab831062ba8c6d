"""What a worker whose payloads are encrypted logs of errors: their kind, not their text."""

import logging
from typing import Final

from temporalio import activity

from spine_temporal.connection.sealed import is_sealed

_SDK: Final = "temporalio.activity"
_OURS: Final = "spine."
_WHERE: Final = "its text is in the run's encrypted history; `spine-temporal show` reads it"


def in_log(error: BaseException, text: str) -> str:
    """`text`, which says what `error` is; where payloads are encrypted, what it may hold belongs in no log."""
    return f"{type(error).__name__}; {_WHERE}" if is_sealed() else text


def seal_the_sdks_log() -> None:
    """From now on the SDK's report of an activity that failed, of ours and with a codec, goes without its text."""
    logger = logging.getLogger(_SDK)
    if _without_text not in logger.filters:
        logger.addFilter(_without_text)


def _without_text(record: logging.LogRecord) -> bool:
    if record.exc_info and is_sealed() and activity.info().activity_type.startswith(_OURS):
        # What was raised is logged where it was met, in its own words or without them.
        record.exc_info = record.exc_text = None
        record.msg = f"{record.msg}; {_WHERE}"
    return True
