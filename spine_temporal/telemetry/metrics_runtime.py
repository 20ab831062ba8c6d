"""The Temporal runtime of a worker process, with the metrics of the SDK's core."""

from datetime import timedelta
from typing import Final

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

HEARTBEAT_S: Final = 5.0
"""How often a worker process says at the server what it has in hand; the signal for autoscalers is as old as this."""


def metrics_runtime(prometheus_address: str | None = None) -> Runtime:
    """A runtime that serves core's metrics at `prometheus_address` (host:port); None: nowhere."""
    metrics = None
    if prometheus_address is not None:
        metrics = PrometheusConfig(
            bind_address=prometheus_address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
        )
    return Runtime(telemetry=TelemetryConfig(metrics=metrics), worker_heartbeat_interval=timedelta(seconds=HEARTBEAT_S))
