"""A secret that passes through a run with the codec is in no file of the server, no log, no metric, no span."""

import logging
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from spine_core import Agent, Message, ModelResponse, Role, StopReason, tool
from spine_core.testing import calls, text
from spine_mcp import MCPToolset
from spine_otel import OTelMiddleware
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from spine_temporal import ActivityPolicy, AgentWorker, Decision, DurableAgent
from spine_temporal.encryption import KeyRing, encrypted, new_key
from spine_temporal.errors import SpineTemporalError
from spine_temporal.testing import dev_server
from tests.features.adapters.agents import SERVER
from tests.features.providers.test_secrets import forms_of
from tests.support.ports import free_port
from tests.support.waiting import until

pytestmark = [pytest.mark.durable, pytest.mark.timeout(300)]

SECRET: Final = "quokka-Ib7PzLm4"
"""In no form that a provider's keys have: nothing can mask it by its looks."""


@tool(approve=True)
async def pay(account: str) -> str:
    """Pay."""
    return f"paid to {account}"


@tool
async def fail(why: str) -> str:
    """Fail."""
    raise ValueError(f"cannot: {why}")


class Talkative:
    """Fails twice with the secret, so that heartbeats carry it; then says it in all ways there are."""

    def __init__(self) -> None:
        self._failures = [ConnectionError(f"lost {SECRET}"), TimeoutError(f"too late for {SECRET}")]

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        if self._failures:
            raise self._failures.pop()
        done = sum(message.role is Role.TOOL for message in messages)
        script = [
            calls(("fail", {"why": SECRET})),
            calls(("pay", {"account": SECRET})),
            calls(("whoami", {})),
            text(f"the secret is {SECRET}"),
        ]
        return script[done]


class Broken:
    """Never works, and says why."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        raise RuntimeError(f"a bug with {SECRET}")


# Spine's toolset connects by a function that mcp has renamed.
@pytest.mark.filterwarnings("ignore:Use `streamable_http_client` instead:DeprecationWarning")
@pytest.mark.parametrize("sealed", [True, False], ids=["with the codec", "without, the search finds it"])
async def test_secret_is_found_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture, *, sealed: bool) -> None:
    database, metrics, spans = tmp_path / "temporal.db", f"127.0.0.1:{free_port()}", InMemorySpanExporter()
    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=metrics)))
    async with dev_server(database=database) as server:
        options: dict[str, Any] = {}
        if sealed:
            options["data_converter"] = encrypted(KeyRing.parse(new_key("k"), "here"), "default")
        client = await Client.connect(server.address, runtime=runtime, **options)
        with caplog.at_level(logging.INFO):
            await _run_all(client, tmp_path, spans, unreachable=sealed)
        async with httpx.AsyncClient() as asking:
            said = (await asking.get(f"http://{metrics}/metrics")).content
        files = _files(tmp_path)

    assert b"temporal_activity" in said
    assert spans.get_finished_spans()
    assert leaks(said) == []
    if not sealed:
        assert leaks(files) != []
        return
    assert leaks(files) == []
    assert _lines(caplog.text) == []
    assert leaks(_written(spans.get_finished_spans())) == []


async def _run_all(client: Client, folder: Path, spans: InMemorySpanExporter, *, unreachable: bool) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    async def talkative() -> Agent:
        mcp = MCPToolset(
            command=sys.executable, args=[str(SERVER), "stdio", str(folder), "0", SECRET], env={"KEY": SECRET}
        )
        traced = OTelMiddleware(provider.get_tracer("tests"))
        return Agent(Talkative(), tools=[pay, fail, *await mcp.load_tools()], middleware=[traced])

    async def nowhere() -> Agent:
        url = f"http://127.0.0.1:1/{SECRET}/mcp?token={SECRET}"
        return Agent(Talkative(), tools=await MCPToolset(url=url).load_tools())

    async def broken() -> Agent:
        return Agent(Broken(), middleware=[OTelMiddleware(provider.get_tracer("tests"))])

    queue, policy = f"test-{uuid.uuid4().hex}", ActivityPolicy(retry_first_s=0.3, heartbeat_s=1.0)
    agents = {"talkative": talkative, "nowhere": nowhere, "broken": broken}
    async with AgentWorker(client, agents=agents, task_queue=queue, step_policy=policy):
        run = await DurableAgent("talkative", client, task_queue=queue).start(f"it is {SECRET}")
        (asked,) = await until(run.pending, "the approval")
        assert asked.arguments == {"account": SECRET}
        await run.decide(Decision(approve=True, reason=SECRET))
        result = await run.result()
        assert result.answer == f"the secret is {SECRET}"
        failed = await DurableAgent("broken", client, task_queue=queue).run(SECRET)
        assert failed.stopped_reason is StopReason.ERROR
        assert SECRET in str(failed.error)
        if unreachable:
            with pytest.raises(SpineTemporalError):
                await DurableAgent("nowhere", client, task_queue=queue).run(SECRET)


def leaks(written: bytes) -> list[bytes]:
    return [form for form in forms_of(SECRET) if form in written]


def _files(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("temporal.db*"))


def _lines(log: str) -> list[str]:
    return [line for line in log.splitlines() if SECRET in line]


def _written(spans: Sequence[ReadableSpan]) -> bytes:
    return "".join(span.to_json() for span in spans).encode()
