"""Adds once, then answers."""

from typing import Any

from spine_core import Agent, Message, ModelResponse, tool
from spine_core.testing import calls, text


@tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Adding:
    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        return text("It is 3.", cost_usd=0.25) if messages[-1].role == "tool" else calls(("add", {"a": 1, "b": 2}))


agent = Agent(Adding(), tools=[add])
