"""An MCP server within the test: each request is answered as a table says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.shared.memory import create_client_server_memory_streams
from mcp.shared.message import SessionMessage
from mcp.types import ErrorData, JSONRPCError, JSONRPCMessage, JSONRPCRequest, JSONRPCResponse

type Answer = dict[str, Any] | ErrorData

USUAL: dict[str, Answer] = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "otters", "version": "1"},
    },
    "tools/list": {"tools": []},
}
DONE: Answer = {"content": [{"type": "text", "text": "done"}]}


@dataclass
class Server:
    """Answers by method; `held` are answered once `release` is set."""

    answers: dict[str, Answer]
    held: frozenset[str] = frozenset()
    release: anyio.Event = field(default_factory=anyio.Event)
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    on_request: Callable[[str], None] = lambda _: None

    @asynccontextmanager
    async def transport(self) -> AsyncIterator[tuple[Any, ...]]:
        """A connection to it."""
        self.connections += 1
        async with create_client_server_memory_streams() as (client, (read, write)), anyio.create_task_group() as group:

            async def answer(request: JSONRPCRequest) -> None:
                if request.method in self.held:
                    await self.release.wait()
                given = (USUAL | self.answers)[request.method]
                reply = (
                    JSONRPCError(jsonrpc="2.0", id=request.id, error=given)
                    if isinstance(given, ErrorData)
                    else JSONRPCResponse(jsonrpc="2.0", id=request.id, result=given)
                )
                await write.send(SessionMessage(JSONRPCMessage(reply)))

            async def serve() -> None:
                async for message in read:
                    assert isinstance(message, SessionMessage)
                    request = message.message.root
                    if isinstance(request, JSONRPCRequest):
                        self.requests.append(request.method)
                        self.on_request(request.method)
                        group.start_soon(answer, request)

            group.start_soon(serve)
            yield client
            group.cancel_scope.cancel()
