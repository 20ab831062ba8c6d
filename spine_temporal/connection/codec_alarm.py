"""The warnings of a worker whose codec does not work."""

import logging
import time
from typing import Final

from temporalio.common import MetricMeter

from spine_temporal.contracts import metric_names

_log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0


class Alarm:
    """Warnings of one worker about its codec, further apart the longer it goes on; each failure is counted."""

    def __init__(self, meter: MetricMeter = MetricMeter.noop) -> None:
        self._failures = meter.create_counter(
            metric_names.CODEC_FAILURES, "Payloads that could not be encoded, decoded, stored or retrieved."
        )
        self._pause_s = FIRST_PAUSE_S
        self._warned_s = -LONGEST_PAUSE_S

    def ring(self, error: Exception, doing: str) -> None:
        """Say that a payload could not be handled, unless it was logged a moment ago."""
        self._failures.add(1, {metric_names.OPERATION: doing})
        now_s = time.monotonic()
        if now_s - self._warned_s < self._pause_s:
            return
        # After a while without trouble it is a new one.
        quiet = now_s - self._warned_s > 2 * LONGEST_PAUSE_S
        self._pause_s = FIRST_PAUSE_S if quiet else min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._warned_s = now_s
        _log.warning("a payload could not be %s, so its work waits: %s", doing, error or type(error).__name__)
