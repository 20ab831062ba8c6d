"""What is counted of answers and calls, whatever they say of themselves."""

import asyncio
import math
from collections.abc import Iterator
from typing import Any

import pytest
from spine_core import Interrupt, StopReason, StopRun, Usage
from temporalio.common import MetricMeter
from temporalio.runtime import BufferedMetricUpdate, MetricBuffer, Runtime, TelemetryConfig

from spine_temporal.contracts import metric_names as names
from spine_temporal.telemetry.metrics import (
    Counting,
    Metrics,
    counted_answer,
    counted_call,
    counted_request,
    counted_retry,
)


class Model:
    model = "m"


class Counted:
    """Metrics whose updates can be read."""

    def __init__(self, buffer: MetricBuffer, meter: MetricMeter) -> None:
        self._buffer, self.metrics = buffer, Metrics(meter)
        self._seen: list[BufferedMetricUpdate] = []

    def values(self, name: str, **labels: str) -> list[float]:
        self._seen += self._buffer.retrieve_updates()
        found = [each for each in self._seen if each.metric.name == name and labels.items() <= each.attributes.items()]
        return [each.value for each in found]


@pytest.fixture
def counted() -> Iterator[Counted]:
    buffer = MetricBuffer(10_000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    counted = Counted(buffer, runtime.metric_meter)
    with Counting(counted.metrics, "assistant"):
        yield counted


@pytest.mark.parametrize("tokens", [2**64, 10**40])
def test_number_of_tokens_larger_than_any_counter_is_counted_as_the_largest(counted: Counted, tokens: int) -> None:
    counted_answer(Model(), Usage(input_tokens=tokens, output_tokens=1), free=False)

    assert counted.values(names.TOKENS, direction="input") == [2**63 - 1]
    assert counted.values(names.TOKENS, direction="output") == [1]


@pytest.mark.parametrize("cost_usd", [math.nan, math.inf, -math.inf, -1.0, 0.0])
def test_cost_that_is_no_amount_is_unknown(counted: Counted, cost_usd: float) -> None:
    usage = Usage(input_tokens=1)
    usage.cost_usd = cost_usd
    counted_answer(Model(), usage, free=False)

    assert counted.values(names.REQUEST_COST) == []
    assert counted.values(names.UNPRICED_REQUESTS, agent="assistant", model="m", provider="model") == [1]


def test_tokens_below_zero_are_not_counted(counted: Counted) -> None:
    counted_answer(Model(), Usage(input_tokens=-5, output_tokens=0), free=True)

    assert counted.values(names.TOKENS) == []
    assert counted.values(names.UNPRICED_REQUESTS) == []


def test_usage_that_lies_about_its_types_fails_nothing(counted: Counted) -> None:
    lies: dict[str, Any] = {"input_tokens": "many", "output_tokens": None, "cost_usd": "much"}
    usage = Usage.model_construct(**lies)
    counted_answer(Model(), usage, free=False)

    assert counted.values(names.TOKENS) == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ValueError("no"), "error"),
        (SystemExit(1), "error"),
        (KeyboardInterrupt(), "error"),
        (asyncio.CancelledError(), "cancelled"),
        (Interrupt("may I?"), "asked"),
        (StopRun(StopReason.CANCELLED, "enough"), "stopped"),
    ],
)
def test_call_is_counted_by_how_it_ended(counted: Counted, error: BaseException, outcome: str) -> None:
    with pytest.raises(type(error)), counted_call("grep"):
        raise error

    assert counted.values(names.TOOL_CALLS, tool="grep", outcome=outcome) == [1]
    assert len(counted.values(names.TOOL_DURATION, tool="grep")) == 1


def test_request_and_retry_are_counted(counted: Counted) -> None:
    with pytest.raises(TimeoutError), counted_request(Model()):
        raise TimeoutError
    counted_retry()
    with counted_request(object()):
        pass

    assert counted.values(names.MODEL_REQUESTS, outcome="error", model="m") == [1]
    assert counted.values(names.MODEL_REQUESTS, outcome="ok", model="unknown", provider="object") == [1]
    assert counted.values(names.PROVIDER_RETRIES, agent="assistant") == [1]


def test_nothing_is_counted_outside_of_a_run() -> None:
    with counted_request(Model()), counted_call("grep"):
        counted_retry()
        counted_answer(Model(), Usage(), free=False)


def test_names_are_unique_and_ours() -> None:
    metrics = [getattr(names, each) for each in dir(names) if str(getattr(names, each)).startswith(names.PREFIX)]

    assert len(set(metrics)) == len(metrics)
