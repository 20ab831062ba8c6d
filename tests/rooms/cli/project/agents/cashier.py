"""Pays when a person lets it; asks when it does not know."""

from typing import Any

from spine_core import Agent, Interrupt, Message, ModelResponse, tool
from spine_core.testing import calls, text


@tool(approve=True)
async def pay(amount: int, to: str) -> str:
    """Pay an invoice."""
    return f"paid {amount} to {to}"


@tool
async def ask(question: str) -> str:
    """Ask a person."""
    raise Interrupt(question)


class Careful:
    """Calls what the user says: "pay", "ask", "pay twice"; then tells what came of it."""

    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        said = messages[-1]
        if said.role == "tool":
            return text(f"Done: {said.content}")
        match said.content:
            case "pay":
                return calls(("pay", {"amount": 5, "to": "acme"}))
            case "pay twice":
                first, second = ("pay", {"amount": 5, "to": "acme"}), ("pay", {"amount": 7, "to": "emca"})
                return calls(first, second)
            case "ask":
                return calls(("ask", {"question": "Which account?"}))
        return text(f"You said {said.content}.")


class Delegating:
    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        said = messages[-1]
        return calls(("cashier", {"input": said.content})) if said.role == "user" else text(f"It says: {said.content}")


agent = Agent(Careful(), tools=[pay, ask])
boss = Agent(Delegating(), tools=[Agent(Careful(), tools=[pay, ask], name="cashier").as_tool()], name="boss")
