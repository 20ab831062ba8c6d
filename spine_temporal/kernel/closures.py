"""What spinekit keeps in the closures of the tools that it makes."""

import inspect
from typing import Any, Final

from spine_core import Agent, Tool
from spine_mcp import MCPToolset

# How CPython names the functions that `Agent.as_tool`, spine_orchestration's `Handoff` and spine_mcp's toolset make.
_AS_TOOL: Final = "Agent.as_tool.<locals>.call"
_TRANSFER: Final = "Handoff._make_transfer.<locals>.transfer"
_MCP: Final = "MCPToolset._make_caller.<locals>.call"


def agent_of(tool: Tool) -> tuple[Agent, int] | None:
    """The agent that `Agent.as_tool` made the tool of, and its `max_depth`; None: another made it."""
    kept = _closure(tool, _AS_TOOL)
    agent, max_depth = kept.get("self"), kept.get("max_depth")
    return (agent, max_depth) if isinstance(agent, Agent) and isinstance(max_depth, int) else None


def transfer_target_of(tool: Tool) -> str | None:
    """The member that a team's tool hands the conversation to; None: spine's `Handoff` did not make it."""
    target = _closure(tool, _TRANSFER).get("target")
    return target if isinstance(target, str) else None


def mcp_toolset_of(tool: Tool) -> tuple[MCPToolset, str] | None:
    """The toolset that made the tool, and the server's name of it; None: no toolset did."""
    kept = _closure(tool, _MCP)
    toolset, name = kept.get("self"), kept.get("name")
    return (toolset, name) if isinstance(toolset, MCPToolset) and isinstance(name, str) else None


def _closure(tool: Tool, qualified_name: str) -> dict[str, Any]:
    func = tool.func
    if not inspect.isfunction(func) or func.__qualname__ != qualified_name:
        return {}
    return dict(inspect.getclosurevars(func).nonlocals)
