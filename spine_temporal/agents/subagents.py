"""Tools that are other agents."""

from typing import Any, NamedTuple

from spine_core import Agent, Tool

from spine_temporal.contracts.tool_marks import REMOTE_AGENT, TRANSFERS_TO
from spine_temporal.kernel.closures import agent_of, transfer_target_of


class SubAgent(NamedTuple):
    """An agent of this process that a tool runs."""

    agent: Agent
    max_depth: int


class RemoteAgent(NamedTuple):
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
    found = agent_of(tool)
    return SubAgent(*found) if found is not None else None


def transfer_of(tool: Tool) -> str | None:
    """The member of the team that `tool` hands the conversation to; None: it is an ordinary tool."""
    peer = getattr(tool.func, TRANSFERS_TO, None) or transfer_target_of(tool)
    return peer if isinstance(peer, str) else None


def task_in(arguments: dict[str, Any]) -> str | None:
    """The task for an agent in these arguments; None: with others the call fails as it does on the kernel."""
    if set(arguments) != {"input"}:
        return None
    # The kernel's agent runs on null, too, as on an empty text.
    task = "" if arguments["input"] is None else arguments["input"]
    return task if isinstance(task, str) else None
