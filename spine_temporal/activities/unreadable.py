"""Activities whose own input no codec of this worker can read."""

from datetime import timedelta
from typing import Final

from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from spine_temporal.connection.worker_converter import BeatDetails, beating
from spine_temporal.contracts import names
from spine_temporal.errors import PayloadUnreadable
from spine_temporal.payloads import came_as, pack_value, uncounted

# Another worker may have the key: the first pauses are short.
_LONGEST_PAUSE_S: Final = 60


def pause_for_codec(attempt: int) -> timedelta:
    """How long an activity waits until it is tried again, by its number of attempts so far."""
    return timedelta(seconds=min(2 ** min(attempt - 1, 10), _LONGEST_PAUSE_S))


def postponed(error: PayloadUnreadable) -> ApplicationError:
    """What to raise for the activity to be tried again, by any worker; the attempt counts for none.

    What earlier attempts left in their heartbeats stays there as it is, be it readable or not.
    """
    info, kept, number = activity.info(), list[RawValue](), 0
    for detail in info.heartbeat_details:
        if isinstance(detail, dict) and detail.keys() == {"uncounted"}:
            number = int(detail["uncounted"])
            continue
        as_it_came = came_as(detail)
        kept.append(RawValue(as_it_came) if as_it_came is not None else pack_value(detail))
    with beating(BeatDetails()):
        activity.heartbeat(*kept, uncounted(number + 1))
    return ApplicationError(
        f"postponed: {error}",
        type=names.CODEC_AWAY,
        next_retry_delay=pause_for_codec(info.attempt),
        category=ApplicationErrorCategory.BENIGN,
    )
