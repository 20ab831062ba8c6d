"""A durable agent as another agent's tool."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from spine_core import Result, Tool, raw_tool

from spine_temporal.contracts.tool_marks import REMOTE_AGENT
from spine_temporal.kernel.delegation import DEPTH

_SCHEMA: Final = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "Task for the sub-agent."}},
    "required": ["input"],
}


def as_tool(
    run: Callable[[str], Awaitable[Result]],
    *,
    agent: str,
    task_queue: str,
    namespace: str,
    name: str,
    description: str | None,
    max_depth: int,
) -> Tool:
    """The tool that runs `agent`, in the words and with the results of the kernel's `Agent.as_tool`."""

    async def call(input: str) -> str:
        depth = DEPTH.get()
        if depth >= max_depth:
            return f"Error: max delegation depth ({max_depth}) exceeded"
        token = DEPTH.set(depth + 1)
        try:
            result = await run(input)
        finally:
            DEPTH.reset(token)
        return result.answer or f"[sub-agent stopped: {result.stopped_reason.value}]"

    facts: dict[str, Any] = {"name": agent, "task_queue": task_queue, "namespace": namespace, "max_depth": max_depth}
    setattr(call, REMOTE_AGENT, facts)
    return raw_tool(name, description or f"Delegate a task to the {name} agent.", dict(_SCHEMA), call)
