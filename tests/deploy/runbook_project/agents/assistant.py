"""Looks, pays or fails, as the user says; else it answers."""

from typing import Any, Final

from spine_core import Agent, Guards, Message, ModelResponse, tool
from spine_core.testing import calls, text

from spine_temporal.errors import BadInput

LAST_LOOK: Final = 2


@tool
async def look() -> str:
    """Look."""
    return "looked"


@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


class Planner:
    """`look 40` looks forty times, one step each; `pay` looks twice and pays in its third step."""

    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        at = max(index for index, message in enumerate(messages) if message.role == "user")
        word, _space, times = str(messages[at].content).partition(" ")
        done = sum(message.role == "tool" for message in messages[at:])
        if word == "look" and done < int(times):
            return calls(("look", {}), cost_usd=0.25)
        if word == "pay" and done <= LAST_LOOK:
            return (
                calls(("look", {}), cost_usd=0.25) if done < LAST_LOOK else calls(("pay", {"amount": 5}), cost_usd=9.0)
            )
        if word == "fail":
            raise BadInput("no such invoice")
        return text("done", cost_usd=0.25)


agent = Agent(Planner(), tools=[look, pay], guards=Guards(max_steps=100))
