"""A runtime whose metrics are named and measured as our dashboards and alerts expect them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from temporalio.runtime import LoggingConfig, OpenTelemetryConfig, PrometheusConfig, Runtime, TelemetryConfig

from spine_temporal.contracts import metric_names as names
from spine_temporal.errors import BadInput

# Seconds. A model call takes from a tenth of one to ten minutes, and so does a tool, or the step around it.
WORK_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
# From the moment to two weeks: people.
WAIT_S: Final = (1.0, 10.0, 60.0, 600.0, 3600.0, 4 * 3600.0, 86400.0, 3 * 86400.0, 7 * 86400.0, 14 * 86400.0)
FOLD_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
COST_USD: Final = (0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 25.0)
# A stock server suggests to continue at 4 MB, and refuses to go on at 50 MB.
HISTORY_BYTES: Final = (10e3, 50e3, 100e3, 500e3, 1e6, 2e6, 4e6, 10e6, 20e6, 40e6, 50e6)

BUCKETS: Final[Mapping[str, tuple[float, ...]]] = {
    names.STEP_DURATION: WORK_S,
    names.MODEL_REQUEST_DURATION: WORK_S,
    names.TOOL_DURATION: WORK_S,
    names.APPROVAL_WAIT: WAIT_S,
    names.FOLD_DURATION: FOLD_S,
    names.REQUEST_COST: COST_USD,
    names.HISTORY_SIZE: HISTORY_BYTES,
    # The SDK's own: its default ends at ten seconds, which is where model calls begin.
    "activity_execution_latency": WORK_S,
    "activity_succeed_endtoend_latency": WORK_S,
    "local_activity_execution_latency": WORK_S,
}


def metrics_runtime(
    prometheus_address: str | None = None,
    *,
    otlp_url: str | None = None,
    otlp_headers: Mapping[str, str] | None = None,
    otlp_every_s: float = 10.0,
    labels: Mapping[str, str] | None = None,
    logging: LoggingConfig | None = LoggingConfig.default,
    **options: Any,
) -> Runtime:
    """A runtime with metrics, the SDK's and ours, for `connect(runtime=...)` or `Client.connect(runtime=...)`.

    Either Prometheus scrapes them at `prometheus_address` ("0.0.0.0:9464"), or they are sent to `otlp_url` every
    `otlp_every_s`: by HTTP where its path ends in /metrics, else by gRPC. Durations are seconds; names for Prometheus
    have the suffixes that it expects (`_total`, `_seconds`). `labels` are added to each metric, `logging` is as
    in `TelemetryConfig`; `options` go to `temporalio.runtime.Runtime`.

    Raises:
        BadInput: neither or both are given, or the address cannot be listened at.
    """
    if (prometheus_address is None) == (otlp_url is None):
        raise BadInput("metrics go either to prometheus_address or to otlp_url: give one of them")
    metrics: PrometheusConfig | OpenTelemetryConfig
    if prometheus_address is not None:
        metrics = PrometheusConfig(
            bind_address=prometheus_address,
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
            histogram_bucket_overrides=BUCKETS,
        )
    else:
        metrics = OpenTelemetryConfig(
            url=str(otlp_url),
            headers=otlp_headers,
            metric_periodicity=timedelta(seconds=otlp_every_s),
            durations_as_seconds=True,
            http=str(otlp_url).rstrip("/").endswith("/metrics"),
            histogram_bucket_overrides=BUCKETS,
        )
    try:
        telemetry = TelemetryConfig(
            logging=logging, metrics=metrics, global_tags=labels or {}, attach_service_name=False
        )
        return Runtime(telemetry=telemetry, **options)
    except (RuntimeError, ValueError) as error:
        if otlp_url is None:
            raise BadInput(f"metrics cannot be served at {prometheus_address!r}: {error}") from error
        way = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT of a worker process is such as http://collector:4317"
        raise BadInput(f"metrics cannot be sent to {otlp_url!r}: {error}; {way}") from error
