"""What the SDK's core logs, through Python's logging."""

import functools
import logging
from typing import Final

from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig

CORE_LOGGING: Final = LoggingConfig(
    LoggingConfig.default.filter,
    forwarding=LogForwardingConfig(
        logging.getLogger("temporalio.core"), append_target_to_name=False, prepend_target_on_message=False
    ),
)
"""By itself the core writes to stdout, among the answers of a command, and coloured lines among those of JSON."""


@functools.cache
def plain_runtime() -> Runtime:
    """A runtime that logs so, and measures nothing."""
    return Runtime(telemetry=TelemetryConfig(logging=CORE_LOGGING))
