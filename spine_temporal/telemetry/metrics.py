"""What a worker counts of the work it does, through the meter of the SDK's own metrics."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import timedelta
from typing import Final, NamedTuple

from spine_core import Interrupt, StopRun, Usage
from temporalio.common import MetricAttributes, MetricMeter

from spine_temporal.contracts import metric_names as names
from spine_temporal.plugins.model_name import model_of
from spine_temporal.telemetry.providers import provider_name

_NO_MODEL: Final = "unknown"
# What a counter takes at once.
_MOST: Final = 2**63 - 1


class Metrics:
    """The counters and histograms of one worker. With `MetricMeter.noop`, as by default, they cost nothing.

    Labels are what a project consists of: its agents, their tools, providers and models. Nothing that a user or a
    model makes up is a label, so their number is bounded.
    """

    def __init__(self, meter: MetricMeter = MetricMeter.noop) -> None:
        self.enabled = meter is not MetricMeter.noop
        count, times = meter.create_counter, meter.create_histogram_timedelta
        self._steps = count(names.STEPS, "Steps, each attempt of one.")
        self._step_duration = times(names.STEP_DURATION, "Duration of a step, hooks included.")
        self._requests = count(names.MODEL_REQUESTS, "Requests to models.")
        self._request_duration = times(names.MODEL_REQUEST_DURATION, "Duration of a request to a model.")
        self._retries = count(names.PROVIDER_RETRIES, "Requests to models that were made again.")
        self._tokens = count(names.TOKENS, "Tokens that providers counted.")
        self._cost = meter.create_histogram_float(names.REQUEST_COST, "Cost of a request whose price is known.", "usd")
        self._unpriced = count(names.UNPRICED_REQUESTS, "Answers whose cost nobody knows.")
        self._calls = count(names.TOOL_CALLS, "Tool calls that were run.")
        self._call_duration = times(names.TOOL_DURATION, "Duration of a tool call, without its hooks.")
        self._lookups = count(names.CACHE_LOOKUPS, "States that activities looked up.")
        self._fold_duration = times(names.FOLD_DURATION, "Duration of reading a State from a history.")

    def step(self, agent: str) -> AbstractContextManager[None]:
        """While the body takes a step."""
        return self._step(agent) if self.enabled else nullcontext()

    @contextmanager
    def _step(self, agent: str) -> Iterator[None]:
        began_s = time.monotonic()
        try:
            yield
        finally:
            self._steps.add(1, {names.AGENT: agent})
            self._step_duration.record(_since(began_s), {names.AGENT: agent})

    def request(self, who: MetricAttributes, outcome: str, began_s: float) -> None:
        """A request to a model is over."""
        self._requests.add(1, {**who, names.OUTCOME: outcome})
        self._request_duration.record(_since(began_s), who)

    def answer(self, who: MetricAttributes, usage: Usage, *, free: bool) -> None:
        """What an answer used. Providers may say anything: what is no amount is left out."""
        for direction, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            if isinstance(tokens, int) and tokens > 0:
                self._tokens.add(min(tokens, _MOST), {**who, names.DIRECTION: direction})
        if isinstance(usage.cost_usd, float | int) and 0 < usage.cost_usd < math.inf:
            self._cost.record(usage.cost_usd, who)
        elif not free and (usage.input_tokens or usage.output_tokens):
            self._unpriced.add(1, who)

    def retry(self, agent: str) -> None:
        """A request to a model is made again, by a hook's word, or by another attempt of the step."""
        self._retries.add(1, {names.AGENT: agent})

    def call(self, who: MetricAttributes, outcome: str, began_s: float) -> None:
        """A tool call is over."""
        self._calls.add(1, {**who, names.OUTCOME: outcome})
        self._call_duration.record(_since(began_s), who)

    def lookup(self, result: str, duration_s: float | None = None) -> None:
        """An activity looked a State up; `duration_s`: how long a history was read for it."""
        if not self.enabled:
            return
        self._lookups.add(1, {names.RESULT: result})
        if duration_s is not None:
            self._fold_duration.record(timedelta(seconds=duration_s))


class _Counted(NamedTuple):
    metrics: Metrics
    agent: str


_counted: ContextVar[_Counted | None] = ContextVar("spine_temporal_counted", default=None)


class Counting:
    """What the body asks of models, and has tools do, is counted as `agent`'s."""

    def __init__(self, metrics: Metrics, agent: str) -> None:
        self._counted = _Counted(metrics, agent) if metrics.enabled else None

    def __enter__(self) -> None:
        self._token = _counted.set(self._counted)

    def __exit__(self, *_: object) -> None:
        _counted.reset(self._token)


def counted_request(provider: object) -> AbstractContextManager[None]:
    """One request to the model behind `provider`. What the body raises is an error."""
    counted = _counted.get()
    if counted is None:
        return nullcontext()
    return _timed(lambda outcome, began_s: counted.metrics.request(_who(counted, provider), outcome, began_s))


def counted_answer(provider: object, usage: Usage, *, free: bool) -> None:
    """What an answer of the model behind `provider` used, as the hooks leave it."""
    if (counted := _counted.get()) is not None:
        counted.metrics.answer(_who(counted, provider), usage, free=free)


def counted_call(tool: str) -> AbstractContextManager[None]:
    """One call of the agent's tool `tool`. What the body raises is an error, but for what asks, or ends the run."""
    counted = _counted.get()
    if counted is None:
        return nullcontext()
    who = {names.AGENT: counted.agent, names.TOOL: tool}
    return _timed(lambda outcome, began_s: counted.metrics.call(who, outcome, began_s))


def counted_retry() -> None:
    """The model is asked again within the step in hand."""
    if (counted := _counted.get()) is not None:
        counted.metrics.retry(counted.agent)


@contextmanager
def _timed(record: Callable[[str, float], None]) -> Iterator[None]:
    """How the body ended, and when it began, are recorded."""
    began_s, outcome = time.monotonic(), "ok"
    try:
        yield
    except BaseException as error:
        outcome = _outcome(error)
        raise
    finally:
        record(outcome, began_s)


def _who(counted: _Counted, provider: object) -> dict[str, str]:
    model = model_of(provider) or _NO_MODEL
    return {names.AGENT: counted.agent, names.PROVIDER: provider_name(provider), names.MODEL: model}


def _outcome(error: BaseException) -> str:
    if isinstance(error, Interrupt):
        return "asked"
    if isinstance(error, StopRun):
        return "stopped"
    return "cancelled" if isinstance(error, asyncio.CancelledError) else "error"


def _since(began_s: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - began_s)
