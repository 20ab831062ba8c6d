"""A clerk whose answers say which build gave them, and whose effects are lines in a file."""

from pathlib import Path
from typing import Any

from spine_core import Agent, Message, ModelResponse, ToolCall, Usage, tool

from tests.faults.agents import Effects


class Plan:
    """A model that does what the user says: `pay 2`, `look`, `ask`; else it repeats it. It keeps nothing."""

    def __init__(self, build: str) -> None:
        self._build = build

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        at = max(index for index, message in enumerate(messages) if message.role == "user")
        word, _space, more = str(messages[at].content).partition(" ")
        done = [str(message.content) for message in messages[at:] if message.role == "tool"]
        calls: list[ToolCall] = []
        if word in ("pay", "look", "ask") and not done:
            counts = range(1, int(more or 1) + 1)
            calls = [ToolCall(id=f"{word}{n}", name=word, arguments=_arguments(word, n)) for n in counts]
        text = None if calls else f"{self._build}: {', '.join(done) or ' '.join((word, more)).strip()}"
        return ModelResponse(message=Message.assistant(text, calls), usage=Usage(input_tokens=1, output_tokens=1))


def _arguments(word: str, number: int) -> dict[str, Any]:
    return {"input": "pay 1"} if word == "ask" else {"n": number}


def clerk(build: str, folder: Path, *, name: str = "clerk", asks: Agent | None = None) -> Agent:
    """`pay` needs a person and leaves a line for each payment; `look` may be held; `ask` is another agent."""
    effects = Effects(folder)

    @tool(approve=True)
    async def pay(n: int) -> str:
        """Pay."""
        effects.note(f"paid {n}")
        await effects.happen(f"pay-{n}")
        return f"paid {n}"

    @tool
    async def look(n: int) -> str:
        """Look."""
        await effects.happen(f"look-{n}")
        return f"saw {n}"

    tools = [pay, look, *([asks.as_tool(name="ask")] if asks is not None else [])]
    return Agent(Plan(build), tools=tools, name=name, parallel_tools=True)
