"""Small agents that several tests run."""

import asyncio

from spine_core import Agent, Guards, tool
from spine_core.testing import ScriptedProvider, calls, text


@tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def adding_agent(name: str | None = "assistant") -> Agent:
    """Adds once, then answers."""
    return Agent(ScriptedProvider(calls(("add", {"a": 1, "b": 2})), text("3")), tools=[add], name=name)


def endless_agent() -> Agent:
    """Never stops by itself."""
    return Agent(ScriptedProvider(calls(("add", {"a": 1, "b": 2}))), tools=[add], guards=Guards(max_steps=None))


class Gate:
    """Lets a test see that something has begun, and decide when it goes on."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()

    async def pass_through(self) -> None:
        self.begun.set()
        await self.open.wait()
