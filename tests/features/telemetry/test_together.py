"""Our spans beside spine's own OpenTelemetry middleware, and without the SDK of OpenTelemetry."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text
from spine_otel import OTelMiddleware
from temporalio.client import Client

from spine_temporal.telemetry.options import Telemetry
from tests.support.harness import Durable
from tests.support.waiting import until

pytestmark = pytest.mark.durable

_WITHOUT_SDK = """
import asyncio, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.semconv", "opentelemetry.exporter", "spine_otel")):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from spine_core import Agent
from spine_core.testing import ScriptedProvider, text
from temporalio.client import Client
from spine_temporal import AgentWorker, DurableAgent
async def main():
    client = await Client.connect(sys.argv[1])
    async with AgentWorker(client, agents={"a": Agent(ScriptedProvider(text("well")))}, task_queue=sys.argv[2]):
        print((await DurableAgent("a", client, task_queue=sys.argv[2]).run("go")).answer)
asyncio.run(main())
"""


def provider() -> tuple[TracerProvider, InMemorySpanExporter]:
    made, spans = TracerProvider(), InMemorySpanExporter()
    made.add_span_processor(SimpleSpanProcessor(spans))
    return made, spans


@tool
async def look() -> str:
    """Look."""
    return "seen"


def agent(middleware: OTelMiddleware) -> Agent:
    return Agent(ScriptedProvider(calls(("look", {})), text("done")), tools=[look], middleware=[middleware])


async def test_ours_replace_those_of_spines_middleware(durable: Durable) -> None:
    (ours, spans), (theirs, left_out) = provider(), provider()
    middleware = OTelMiddleware(theirs.get_tracer("tests"))

    await durable(agent(middleware), telemetry=Telemetry(tracer_provider=ours)).run("go")

    def names() -> list[str]:
        return sorted(span.name for span in spans.get_finished_spans())

    await until(lambda: "invoke_agent agent" in names(), "the agent's own span")
    assert names() == ["chat", "chat", "execute_tool look", "invoke_agent agent"]
    assert not left_out.get_finished_spans()


async def test_with_ours_switched_off_spines_middleware_makes_its_own(durable: Durable) -> None:
    (ours, spans), (theirs, made) = provider(), provider()
    middleware = OTelMiddleware(theirs.get_tracer("tests"))

    await durable(agent(middleware), telemetry=Telemetry(spans=False, tracer_provider=ours)).run("go")

    await until(lambda: any(span.name == "spine.run" for span in made.get_finished_spans()), "the run's own span")
    assert not spans.get_finished_spans()


def test_runs_with_nothing_of_opentelemetry_but_its_api(client: Client, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WITHOUT_SDK, client.service_client.config.target_host, f"api-{tmp_path.name}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    assert done.stdout.strip() == "well", done.stderr


class Broken(SpanProcessor):
    """A span processor of a program's own, that fails."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        raise OSError("the collector's socket is gone")


class BrokenAtTheEnd(SpanProcessor):
    def on_end(self, span: ReadableSpan) -> None:
        raise OSError("the collector's socket is gone")


@pytest.mark.parametrize("processor", [Broken(), BrokenAtTheEnd()], ids=["start", "end"])
async def test_tracer_that_fails_costs_spans_and_no_run(
    durable: Durable, processor: SpanProcessor, caplog: pytest.LogCaptureFixture
) -> None:
    made = TracerProvider()
    made.add_span_processor(processor)
    traced = Agent(ScriptedProvider(calls(("look", {})), text("done")), tools=[look])

    result = await durable(traced, telemetry=Telemetry(tracer_provider=made)).run("go")

    assert (result.answer, result.state.messages[2].content) == ("done", "seen")
    assert "a span is lost, for the program's tracer raised OSError" in caplog.text


async def test_of_a_trace_that_the_sampler_leaves_out_nobody_records_a_span(durable: Durable) -> None:
    spans = InMemorySpanExporter()
    made = TracerProvider(sampler=TraceIdRatioBased(0.0))
    made.add_span_processor(SimpleSpanProcessor(spans))
    traced = Agent(ScriptedProvider(calls(("look", {})), text("done")), tools=[look])

    result = await durable(traced, telemetry=Telemetry(tracer_provider=made)).run("go")

    assert result.ok
    assert not spans.get_finished_spans()
