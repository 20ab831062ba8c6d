"""Agents with tools that live elsewhere, told what to call by their user."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from spine_core import Agent, Message, ModelResponse, Role
from spine_core.testing import calls, text
from spine_mcp import MCPToolset
from spine_otel import OTelMiddleware

from spine_temporal.agents.registry import AgentFactory

SERVER: Final = Path(__file__).with_name("mcp_server.py")


class Obedient:
    """A model that calls what it is told to, "NAME {arguments}" line by line, then says what came of the last one."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        said = [message.content or "" for message in messages if message.role is Role.USER][-1].splitlines()
        results = [message.content or "" for message in messages if message.role is Role.TOOL]
        if len(results) == len(said):
            return text(results[-1])
        name, _space, written = said[len(results)].partition(" ")
        arguments: dict[str, Any] = json.loads(written or "{}")
        return calls((name, arguments))


class ToFile(SpanExporter):
    """Writes each span as a line of JSON."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with self._file.open("a") as file:
            for span in spans:
                file.write(span.to_json(indent=None) + "\n")
        return SpanExportResult.SUCCESS


def factories(folder: Path, url: str) -> dict[str, AgentFactory]:
    """By name: one with an MCP server of its own, one with a server at `url`; both are traced."""

    def traced() -> OTelMiddleware:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ToFile(folder / "spans")))
        return OTelMiddleware(provider.get_tracer("tests"))

    async def own() -> Agent:
        mcp = MCPToolset(command=sys.executable, args=[str(SERVER), "stdio", str(folder)])
        return Agent(Obedient(), tools=await mcp.load_tools(), middleware=[traced()])

    async def remote() -> Agent:
        mcp = MCPToolset(url=url)
        return Agent(Obedient(), tools=await mcp.load_tools(), middleware=[traced()])

    return {"own": own, "remote": remote}
