"""One tree of spans for a run, though its hooks run in several processes."""

import hashlib
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags, Tracer
from spine_core import Agent

from spine_temporal.connection.sealed import is_sealed
from spine_temporal.journal.ledger import Ledger
from spine_temporal.kernel.otel import forget_run, set_tracer, tracer_of
from spine_temporal.telemetry.fixed_ids import is_sampled, start_span, within

if TYPE_CHECKING:
    from spine_otel.middleware import OTelMiddleware

_MODULE: Final = "spine_otel.middleware"
_ROOT: Final = "spine.run"
_NS: Final = 1_000_000_000
_current: ContextVar["_RunSpans | None"] = ContextVar("spine_temporal_run_spans", default=None)


def spans_of(agent: Agent, ledger: Ledger, workflow_id: str, ours: SpanContext | None) -> AbstractContextManager[None]:
    """While a step or a tool call is made: what begins is a child of the run's span, what stays open ends with it.

    The run's own span is named by the run, so that every process knows its id; it is recorded when the run ends. Where
    the worker records spans itself, below `ours`, the middleware's would tell the same again: it makes none.
    """
    middleware = _otel(agent)
    return _spans_of(middleware, ledger, workflow_id, ours) if middleware else nullcontext()


@contextmanager
def _spans_of(
    middleware: "list[OTelMiddleware]", ledger: Ledger, workflow_id: str, ours: SpanContext | None
) -> Iterator[None]:
    identity = ours or _identity(middleware[0], ledger, workflow_id)
    with _within(_RunSpans(identity, silent=ours is not None)):
        yield
        for each in middleware:
            forget_run(each, ledger.state.session_id)


@asynccontextmanager
async def span_of_the_end(
    agent: Agent, ledger: Ledger, workflow_id: str, began_s: float | None, ours: SpanContext | None, *, first: bool
) -> AsyncIterator[None]:
    """While `on_run_end` runs: the run's own span is recorded, from `began_s` on.

    The middleware ends only what it knows, so its `on_run_start` runs here, unless that hook runs `first` anyway.
    """
    middleware = _otel(agent)
    if not middleware:
        yield
        return
    if ours is not None:
        with _within(_RunSpans(ours, silent=True)):
            yield
        return
    began_ns = int(began_s * _NS) if began_s is not None else None
    with _within(_RunSpans(_identity(middleware[0], ledger, workflow_id), ending=True, began_ns=began_ns)):
        for each in () if first else middleware:
            await each.on_run_start(ledger.state)
        yield


@dataclass(slots=True)
class _RunSpans:
    identity: SpanContext
    silent: bool = False
    """The worker records spans of its own."""
    ending: bool = False
    began_ns: int | None = None
    open: list[Span] = field(default_factory=list)


class _RunTracer(Tracer):
    """The middleware's tracer, within a durable run."""

    def __init__(self, inner: Tracer) -> None:
        self.inner = inner

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> Span:
        """As the tracer would, but for the run's own span."""
        run = _current.get()
        if run is None:
            return self.inner.start_span(name, *args, **kwargs)
        if run.silent or (name == _ROOT and not run.ending):
            return NonRecordingSpan(run.identity)
        if name == _ROOT:
            return _without_texts(_recorded(self.inner, run, kwargs.get("attributes")))
        span = _without_texts(self.inner.start_span(name, *args, **kwargs))
        run.open.append(span)
        return span

    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """As the tracer would."""
        return self.inner.start_as_current_span(name, *args, **kwargs)


def is_traced_by_spine(agent: Agent) -> bool:
    """Whether spine's own OTelMiddleware is among the agent's middleware."""
    module = sys.modules.get(_MODULE)
    return module is not None and any(isinstance(each, module.OTelMiddleware) for each in agent.chain.middlewares)


def _otel(agent: Agent) -> "list[OTelMiddleware]":
    module = sys.modules.get(_MODULE)
    if module is None:
        return []
    found = [each for each in agent.chain.middlewares if isinstance(each, module.OTelMiddleware)]
    for each in found:
        if not isinstance(tracer_of(each), _RunTracer):
            set_tracer(each, _RunTracer(tracer_of(each)))
    return found


@contextmanager
def _within(run: _RunSpans) -> Iterator[None]:
    token = _current.set(run)
    attached = otel_context.attach(within(run.identity))
    try:
        yield
    finally:
        for span in run.open:
            if span.is_recording():
                span.set_status(Status(StatusCode.ERROR, "it was not finished"))
                span.end()
        otel_context.detach(attached)
        _current.reset(token)


def _identity(middleware: "OTelMiddleware", ledger: Ledger, workflow_id: str) -> SpanContext:
    turn = hashlib.sha256(f"{workflow_id} turn {ledger.progress.turn}".encode()).digest()
    stretch = hashlib.sha256(f"{workflow_id} stretch {ledger.segment}".encode()).digest()
    trace_id = int.from_bytes(turn[:16]) or 1
    return SpanContext(
        trace_id,
        int.from_bytes(stretch[:8]) or 1,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if _is_sampled(middleware, trace_id) else TraceFlags.DEFAULT),
    )


def _is_sampled(middleware: "OTelMiddleware", trace_id: int) -> bool:
    tracer = tracer_of(middleware)
    return is_sampled(_sdk_tracer(tracer.inner if isinstance(tracer, _RunTracer) else tracer), trace_id, _ROOT)


def _sdk_tracer(tracer: Tracer) -> Tracer:
    # A tracer made before there was a provider is a proxy, which does not show the one it uses.
    return tracer if hasattr(tracer, "id_generator") else trace.get_tracer_provider().get_tracer("spine-otel")


def _without_texts(span: Span) -> Span:
    """`span`; where payloads are encrypted, it is to hold no text of an error: a trace is read by others."""
    if not is_sealed():
        return span
    set_status = span.set_status

    def record(exception: BaseException, *_: Any, **__: Any) -> None:
        span.add_event("exception", {"exception.type": type(exception).__qualname__})

    def set_code(status: Status | StatusCode, *_: Any) -> None:
        set_status(status.status_code if isinstance(status, Status) else status)

    # On the span itself: a class around it would have to know every method that a tracer's spans have.
    span.record_exception = record  # type: ignore[method-assign]
    span.set_status = set_code  # type: ignore[assignment, method-assign]
    return span


def _recorded(tracer: Tracer, run: _RunSpans, attributes: Any) -> Span:
    return start_span(_sdk_tracer(tracer), run.identity, _ROOT, attributes=attributes, start_time=run.began_ns)
