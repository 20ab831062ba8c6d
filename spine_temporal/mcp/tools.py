"""The tools that an agent has from MCP servers, kept alive."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from spine_core import Agent, Tool
from spine_mcp import MCPToolset

from spine_temporal.kernel.closures import mcp_toolset_of
from spine_temporal.mcp.connection import Connection
from spine_temporal.mcp.redact import ServerSecrets


@dataclass(slots=True)
class _Mount:
    """The tools of one toolset on one agent."""

    agent: Agent
    toolset: MCPToolset
    names: dict[str, str]
    """What the server calls them, by what the agent does."""
    given: dict[str, Tool]
    """Each as the agent was given it: a tool that disappears and comes back is gated as before."""
    complete: bool
    """The agent has all that the server had."""


@dataclass(slots=True)
class _Server:
    connection: Connection
    toolset: MCPToolset
    """Spine's, over our connection."""
    mounts: list[_Mount] = field(default_factory=list)


class McpServers:
    """The MCP servers of a worker's agents: one connection each, made again when it is lost."""

    def __init__(self) -> None:
        self._servers: dict[str, _Server] = {}

    async def adopt(self, agent: Agent, *, close: bool) -> None:
        """Have the agent's MCP tools use our connections; with `close`, close those that its factory opened.

        Raises:
            ConnectionError: a server cannot be reached.
        """
        for toolset, names in _toolsets(agent.tools.values()):
            if close:
                await toolset.aclose()
            server = self._servers.setdefault(_key(toolset), self._server(toolset))
            offered = {tool.name for tool in await server.toolset.load_tools()}
            given = {name: agent.tools[name] for name in names}
            mount = _Mount(agent, toolset, names, given, complete=offered <= set(names.values()))
            server.mounts.append(mount)
            await _refresh(server, [mount])

    async def aclose(self) -> None:
        """Close all connections."""
        servers, self._servers = self._servers, {}
        for server in servers.values():
            await server.connection.aclose()

    def _server(self, toolset: MCPToolset) -> _Server:
        async def changed() -> None:
            await _refresh(server, server.mounts)

        secrets = ServerSecrets.of(toolset)
        connection = Connection(secrets.where, lambda: _transport(toolset), changed, secrets.redact)
        server = _Server(connection, MCPToolset(session=connection))
        return server


async def _refresh(server: _Server, mounts: Iterable[_Mount]) -> None:
    """Give the agents the tools as the server has them now."""
    offered = {tool.name: tool for tool in await server.toolset.load_tools()}
    for mount in mounts:
        tools = mount.agent.tools
        if mount.complete:
            for theirs in offered.keys() - set(mount.names.values()) - tools.keys():
                mount.names[theirs] = theirs
                mount.given[theirs] = replace(offered[theirs], approve=mount.toolset.approve)
        for name, theirs in mount.names.items():
            now = offered.get(theirs)
            if now is None:
                tools.pop(name, None)
                continue
            tools[name] = replace(
                mount.given[name], func=now.func, parameters=now.parameters, description=now.description
            )


def _toolsets(tools: Iterable[Tool]) -> list[tuple[MCPToolset, dict[str, str]]]:
    """The toolsets behind these tools that know how to connect, with the server's names of their tools by ours."""
    found: dict[int, tuple[MCPToolset, dict[str, str]]] = {}
    for tool in tools:
        made_by = mcp_toolset_of(tool)
        if made_by is None:
            continue
        toolset, name = made_by
        if toolset.url or toolset.command:
            found.setdefault(id(toolset), (toolset, {}))[1][tool.name] = name
    return list(found.values())


def _key(toolset: MCPToolset) -> str:
    return repr((toolset.url, toolset.command, toolset.args, toolset.env))


def _transport(toolset: MCPToolset) -> AbstractAsyncContextManager[tuple[Any, ...]]:
    if toolset.url:
        from mcp.client.streamable_http import streamable_http_client

        return streamable_http_client(toolset.url)
    from mcp import StdioServerParameters
    from mcp.client.stdio import stdio_client

    return stdio_client(StdioServerParameters(command=toolset.command or "", args=toolset.args, env=toolset.env))
