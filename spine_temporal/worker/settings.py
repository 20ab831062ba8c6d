"""The settings of a worker process that come from environment variables of ours."""

import math
import os
from pathlib import Path
from typing import Any, Final

from spine_temporal.connection.settings import is_set
from spine_temporal.contracts import names
from spine_temporal.errors import BadInput
from spine_temporal.worker.grace import GRACEFUL_SHUTDOWN_S
from spine_temporal.worker.health import LOOP_HELD_S

PROJECT: Final = "SPINE_TEMPORAL_PROJECT"
TASK_QUEUE: Final = "SPINE_TEMPORAL_TASK_QUEUE"
HEALTH_ADDRESS: Final = "SPINE_TEMPORAL_HEALTH_ADDRESS"
# OpenTelemetry's own.
OTLP_METRICS: Final = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
GRACEFUL_SHUTDOWN: Final = "SPINE_TEMPORAL_GRACEFUL_SHUTDOWN_S"
LOOP_HELD: Final = "SPINE_TEMPORAL_LOOP_HELD_S"
ACTIVITY_SLOTS: Final = "SPINE_TEMPORAL_ACTIVITY_SLOTS"
CACHE_BYTES: Final = "SPINE_TEMPORAL_CACHE_BYTES"
POLLER_AUTOSCALING: Final = "SPINE_TEMPORAL_POLLER_AUTOSCALING"
LOG_JSON: Final = "SPINE_TEMPORAL_LOG_JSON"

_LONGEST_S: Final = 365 * 86400.0
"""More would mean for ever, and what counts time by shorter numbers could not hold it."""


def worker_settings(*, graceful_shutdown_s: float = GRACEFUL_SHUTDOWN_S) -> dict[str, Any]:
    """Arguments of `run_worker_process`; the one given here is for when its variable is not set.

    Raises:
        BadInput: a variable holds what it cannot mean.
    """
    return {
        "project": Path(os.environ.get(PROJECT) or "."),
        "task_queue": os.environ.get(TASK_QUEUE) or names.DEFAULT_TASK_QUEUE,
        **process_settings(graceful_shutdown_s=graceful_shutdown_s),
    }


def process_settings(*, graceful_shutdown_s: float) -> dict[str, Any]:
    """Those of them that say how the process runs, whatever it serves.

    Raises:
        BadInput: a variable holds what it cannot mean.
    """
    given: dict[str, Any] = {
        "graceful_shutdown_s": _number(GRACEFUL_SHUTDOWN, graceful_shutdown_s, least=0),
        "health_address": os.environ.get(HEALTH_ADDRESS) or None,
        # With less, no turn of the loop would be quick enough, and the process would never pass for alive.
        "loop_held_s": _number(LOOP_HELD, LOOP_HELD_S, least=1),
        "log_json": is_set(LOG_JSON),
    }
    if os.environ.get(ACTIVITY_SLOTS):
        given["max_concurrent_activities"] = _count(ACTIVITY_SLOTS, least=1)
    if os.environ.get(CACHE_BYTES):
        given["cache_bytes"] = _count(CACHE_BYTES, least=0)
    if os.environ.get(OTLP_METRICS):
        given["otlp_metrics_url"] = os.environ[OTLP_METRICS]
    if is_set(POLLER_AUTOSCALING):
        given["poller_autoscaling"] = True
    return given


def _number(name: str, default: float, *, least: float) -> float:
    written = os.environ.get(name)
    if not written:
        return default
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    if not least <= number <= _LONGEST_S:
        raise BadInput(f"{name} is {written!r}; it is a number of seconds, such as {default:g}")
    return number


def _count(name: str, *, least: int) -> int:
    written = os.environ[name]
    if not written.isdecimal() or int(written) < least:
        raise BadInput(f"{name} is {written!r}; it is a whole number from {least}")
    return int(written)
