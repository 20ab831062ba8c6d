"""Spans whose ids are known before they are recorded."""

import copy
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, Tracer

from spine_temporal.contracts.trace_context import TraceContext


class _Ids:
    """An id generator that gives the ids of one span."""

    def __init__(self, trace_id: int, span_id: int) -> None:
        self._trace_id = trace_id
        self._span_id = span_id

    def generate_trace_id(self) -> int:
        return self._trace_id

    def generate_span_id(self) -> int:
        return self._span_id

    def is_trace_id_random(self) -> bool:
        return False


def start_span(tracer: Tracer, identity: SpanContext, name: str, parent: SpanContext | None = None, **of: Any) -> Span:
    """A span that has the ids of `identity`, below `parent` or none; `of` goes to the tracer.

    A tracer that is not the SDK's gives it other ids.
    """
    if not hasattr(tracer, "id_generator"):
        return tracer.start_span(name, within(parent), **of)
    tracer = copy.copy(tracer)
    tracer.id_generator = _Ids(identity.trace_id, identity.span_id)
    return tracer.start_span(name, within(parent), **of)


def within(parent: SpanContext | None) -> otel_context.Context:
    """A context of its own, in which `parent` is the span at work; None: no span is."""
    empty = otel_context.Context()
    return trace.set_span_in_context(NonRecordingSpan(parent), empty) if parent is not None else empty


def is_sampled(tracer: Tracer, trace_id: int, name: str) -> bool:
    """Whether the tracer's sampler takes a trace of that id; it says the same in every process that has such a one."""
    sampler = getattr(tracer, "sampler", None)
    if sampler is None:
        return True
    return bool(sampler.should_sample(otel_context.Context(), trace_id, name).decision.is_sampled())


def span_context(context: TraceContext, tracer: Tracer, name: str) -> SpanContext:
    """A span of another process, as OpenTelemetry has it; whether it is recorded, `tracer` says if nobody else has."""
    sampled = is_sampled(tracer, context.trace_id, name) if context.sampled is None else context.sampled
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return SpanContext(context.trace_id, context.span_id, is_remote=True, trace_flags=flags)
