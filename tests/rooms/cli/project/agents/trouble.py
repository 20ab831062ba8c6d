"""Agents that give no answer."""

from typing import Any

from spine_core import Agent, Guards, tool
from spine_core.testing import ScriptedProvider, calls


@tool
async def look() -> str:
    """Look again."""
    return "nothing new"


class Down:
    async def complete(self, *_: Any, **__: Any) -> Any:
        raise ValueError("the key is wrong")


again = ScriptedProvider(calls(("look", {}), content="Let me see."))
looping = Agent(again, tools=[look], guards=Guards(max_steps=2), name="looping")
down = Agent(Down(), name="down")
