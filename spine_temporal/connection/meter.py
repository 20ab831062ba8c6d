"""The meter that the SDK's own metrics go through."""

from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.runtime import Runtime


def meter_of(client: Client) -> MetricMeter:
    """The meter of the runtime that `client` uses; `MetricMeter.noop` where that has no metrics."""
    runtime = client.service_client.config.runtime or Runtime.default()
    return runtime.metric_meter
