"""Worker and client processes that export their spans to a receiver, each with a tracer provider of its own."""

import asyncio
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from spine_core import Agent, Message, ModelResponse, ToolCall, Usage, tool
from spine_orchestration import Sequential
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent, durable
from spine_temporal.telemetry.options import Telemetry
from spine_temporal.worker.exit import leave
from tests.faults.agents import Effects, counting_agent

SECRET = "canary-7781"


def provider_to(url: str) -> TracerProvider:
    provider = TracerProvider(resource=Resource.create({"service.name": "tests"}))
    # Each span at once: a process that is killed has sent what has ended.
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(url)))
    return provider


class Scripted:
    """A model that asks for the tools of a script, one after another, then answers."""

    model = "otter-1"

    def __init__(self, effects: Effects, *script: str) -> None:
        self._effects = effects
        self._script = script

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        last = max(at for at, message in enumerate(messages) if message.role == "user")
        done = sum(message.role == "tool" for message in messages[last:])
        if "moody" in self._script and not self._effects.count("was moody"):
            self._effects.note("was moody")
            raise ConnectionError(f"in a bad mood: {SECRET}")
        usage = Usage(input_tokens=10, output_tokens=2, cost_usd=0.5)
        names = [name for name in self._script if name != "moody"]
        if done == len(names):
            return ModelResponse(message=Message.assistant(f"done {SECRET}"), usage=usage, finish_reason="stop")
        arguments = {"input": f"{SECRET} please"}
        call = ToolCall(id=f"c{done}", name=names[done], arguments=arguments)
        return ModelResponse(message=Message.assistant(None, [call]), usage=usage, finish_reason="tool_calls")


def agents_in(folder: Path) -> dict[str, Any]:
    effects = Effects(folder)

    @tool(approve=True)
    async def pay(input: str) -> str:
        """Pay."""
        return f"paid {SECRET}"

    @tool
    def look(input: str) -> str:
        """Look."""
        with trace.get_tracer("user").start_as_current_span("inside the tool"):
            return f"seen {SECRET}"

    @durable(local=True)
    @tool
    async def glance(input: str) -> str:
        """Look for a moment."""
        return f"seen {SECRET}"

    helper = Agent(Scripted(effects, "look"), tools=[look], name="helper")
    boss = Agent(Scripted(effects, "helper"), tools=[helper.as_tool(name="helper")], name="boss")
    return {
        "counter": counting_agent(folder),
        "payer": Agent(Scripted(effects, "pay"), tools=[pay]),
        "helper": helper,
        "boss": boss,
        "moody": Agent(Scripted(effects, "moody"), tools=[]),
        "quick": Agent(Scripted(effects, "glance"), tools=[glance]),
        "line": Sequential(Agent(Scripted(effects, "look"), tools=[look]), Agent(Scripted(effects))),
    }


async def _serve(address: str, task_queue: str, folder: str, options: dict[str, Any]) -> None:
    trace.set_tracer_provider(provider_to(options.pop("url")))
    telemetry = Telemetry(content=options.pop("content", False))
    client = await Client.connect(address)
    agents = agents_in(Path(folder))
    await AgentWorker(client, agents=agents, task_queue=task_queue, telemetry=telemetry, **options).run()


def run(address: str, task_queue: str, folder: str, options: dict[str, Any] | None = None) -> None:
    """Work until SIGTERM, then end the process."""
    asyncio.run(_serve(address, task_queue, folder, dict(options or {})))
    leave()


async def _ask(address: str, task_queue: str, url: str, agent: str, session_id: str) -> None:
    trace.set_tracer_provider(provider_to(url))
    asked = DurableAgent(agent, await Client.connect(address), task_queue=task_queue)
    with trace.get_tracer("user").start_as_current_span("the caller"):
        await asked.start(f"{SECRET}?", session_id=session_id)


def ask(address: str, task_queue: str, url: str, agent: str, session_id: str) -> None:
    """Begin a turn, as a program does that traces what it does."""
    asyncio.run(_ask(address, task_queue, url, agent, session_id))
    leave()


async def _fork(address: str, task_queue: str, url: str, session_id: str) -> None:
    trace.set_tracer_provider(provider_to(url))
    asked = DurableAgent("helper", await Client.connect(address), task_queue=task_queue)
    with trace.get_tracer("user").start_as_current_span("the caller"):
        await asked.get_run(session_id).fork(step=1, input="and now?")


def fork(address: str, task_queue: str, url: str, session_id: str) -> None:
    """Fork a run, as a program does that traces what it does."""
    asyncio.run(_fork(address, task_queue, url, session_id))
    leave()


async def _decide(address: str, url: str, session_id: str) -> None:
    trace.set_tracer_provider(provider_to(url))
    await DurableAgent("payer", await Client.connect(address)).get_run(session_id).decide("approve")


def decide(address: str, url: str, session_id: str) -> None:
    """Approve what a run waits for, in a trace of one's own."""
    asyncio.run(_decide(address, url, session_id))
    leave()
