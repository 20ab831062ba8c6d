"""Tools that are other agents."""

import inspect
from dataclasses import dataclass
from typing import Any, Final

from spine_core import Agent, Tool

from spine_temporal.contracts.subagent import REMOTE_AGENT, TRANSFERS_TO

# How CPython names the functions that the kernel's `Agent.as_tool` and spine_orchestration's `Handoff` make. They keep
# the agent, and the peer, in a closure and nowhere else.
_AS_TOOL: Final = "Agent.as_tool.<locals>.call"
_TRANSFER: Final = "Handoff._make_transfer.<locals>.transfer"


@dataclass(frozen=True, slots=True)
class SubAgent:
    """An agent of this process that a tool runs."""

    agent: Agent
    max_depth: int


@dataclass(frozen=True, slots=True)
class RemoteAgent:
    """An agent of some worker that a tool runs durably: one made by `DurableAgent.as_tool`."""

    name: str
    task_queue: str
    namespace: str
    max_depth: int


def agent_behind(tool: Tool) -> SubAgent | RemoteAgent | None:
    """The agent that `tool` delegates to; None: it is an ordinary tool."""
    remote = getattr(tool.func, REMOTE_AGENT, None)
    if isinstance(remote, dict):
        return RemoteAgent(**remote)
    kept = _kept(tool, _AS_TOOL)
    agent, max_depth = kept.get("self"), kept.get("max_depth")
    return SubAgent(agent, max_depth) if isinstance(agent, Agent) and isinstance(max_depth, int) else None


def transfer_of(tool: Tool) -> str | None:
    """The member of the team that `tool` hands the conversation to; None: it is an ordinary tool."""
    peer = getattr(tool.func, TRANSFERS_TO, None) or _kept(tool, _TRANSFER).get("target")
    return peer if isinstance(peer, str) else None


def takes(arguments: dict[str, Any]) -> bool:
    """Whether these arguments are a task for an agent; with others the call fails as it does on the kernel."""
    return set(arguments) == {"input"} and isinstance(arguments["input"], str)


def _kept(tool: Tool, qualified_name: str) -> dict[str, Any]:
    func = tool.func
    if not inspect.isfunction(func) or func.__qualname__ != qualified_name:
        return {}
    return dict(inspect.getclosurevars(func).nonlocals)
