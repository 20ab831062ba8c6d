"""A connection lasts as long as its server lives, however the server answers; errors name no secret."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from mcp import McpError
from mcp.types import ErrorData

from spine_temporal.mcp import connection as room
from spine_temporal.mcp.connection import Connection
from tests.rooms.mcp.server import DONE, Server

REFUSALS = [
    ErrorData(code=-32601, message="Method not found"),
    ErrorData(code=-32000, message="Not initialized"),
    ErrorData(code=-32603, message="Internal error"),
]


def connected(transport: Callable[[], AbstractAsyncContextManager[tuple[Any, ...]]]) -> Connection:
    async def changed() -> None:
        pass

    return Connection("otters", transport, changed, lambda text: text.replace("hunter2", "***"))


@pytest.mark.parametrize("refusal", REFUSALS, ids=[str(refusal.code) for refusal in REFUSALS])
async def test_a_call_to_a_server_that_answers_ping_with_an_error_is_neither_lost_nor_repeated(
    refusal: ErrorData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_PING_AFTER_S", 0.01)
    server = Server({"ping": refusal, "tools/call": DONE}, held=frozenset({"tools/call"}))

    def after_two_pings(_: str) -> None:
        if server.requests.count("ping") == 2:
            server.release.set()

    server.on_request = after_two_pings
    connection = connected(server.transport)

    result = await connection.call_tool("whoami", {})
    await connection.aclose()

    assert [block.model_dump()["text"] for block in result.content] == ["done"]
    assert (server.requests.count("tools/call"), server.connections) == (1, 1)


async def test_an_error_that_is_the_answer_of_a_call_comes_out_and_the_connection_stays() -> None:
    server = Server({"tools/call": ErrorData(code=-32000, message="no otter at hunter2")})
    connection = connected(server.transport)

    for _ in range(2):
        with pytest.raises(McpError, match=r"no otter at \*\*\*"):
            await connection.call_tool("whoami", {})
    await connection.aclose()

    assert server.connections == 1


async def test_a_server_that_cannot_be_reached_is_named_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_CONNECT_S", 0.0)

    @asynccontextmanager
    async def transport() -> AsyncIterator[tuple[Any, ...]]:
        raise OSError("cannot resolve https://example.com/?key=hunter2")
        yield ()

    with pytest.raises(ConnectionError) as raised:
        await connected(transport).list_tools()

    assert str(raised.value) == ("cannot connect to the MCP server otters: cannot resolve https://example.com/?key=***")
    assert raised.value.__cause__ is None
