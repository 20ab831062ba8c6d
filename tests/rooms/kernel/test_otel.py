"""The tracer and the open runs of spine's middleware: this fails when spine_otel keeps them otherwise."""

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from spine_core import Result, State, StopReason
from spine_otel import OTelMiddleware

from spine_temporal.kernel.otel import forget_run, set_tracer, tracer_of


async def a_run(middleware: OTelMiddleware, *, forgotten: bool = False) -> None:
    state = State(session_id="s")
    await middleware.on_run_start(state)
    if forgotten:
        forget_run(middleware, "s")
    await middleware.on_run_end(state, Result(stopped_reason=StopReason.FINAL, session_id="s", state=state))


async def test_spans_come_from_the_tracer_that_was_set() -> None:
    provider, spans = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    middleware, tracer = OTelMiddleware(), provider.get_tracer("tests")

    set_tracer(middleware, tracer)
    await a_run(middleware)

    assert tracer_of(middleware) is tracer
    assert [span.name for span in spans.get_finished_spans()] == ["spine.run"]


async def test_a_run_that_is_forgotten_is_not_ended() -> None:
    provider, spans = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    await a_run(OTelMiddleware(provider.get_tracer("tests")), forgotten=True)

    assert not spans.get_finished_spans()
