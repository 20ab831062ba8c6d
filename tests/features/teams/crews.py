"""Agents that work for each other."""

from collections.abc import Callable
from typing import Any

from spine_core import Agent, Guards, Message, ModelResponse, Tool, Usage, tool
from spine_core.testing import calls, text

from tests.support.agents_at_hand import Gate

type Call = tuple[str, dict[str, Any]]


class Boss:
    """A model that asks for these calls, one batch after another, then answers with all that it was told.

    It knows where it is from the conversation alone, so any number of runs may share it.
    """

    def __init__(self, *batches: list[Call], cost_usd: float = 0.0) -> None:
        self._batches = batches
        self._cost_usd = cost_usd

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        asked = sum(message.role == "assistant" for message in messages)
        if asked < len(self._batches):
            return calls(*self._batches[asked], cost_usd=self._cost_usd)
        told = [str(message.content) for message in messages if message.role == "tool"]
        return text(" | ".join(told), cost_usd=self._cost_usd)


class Finds:
    """A model that answers with what it was asked last."""

    def __init__(self, *, cost_usd: float = 0.0) -> None:
        self._cost_usd = cost_usd

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        asked = [str(message.content) for message in messages if message.role == "user"]
        return text(f"found {asked[-1]}", cost_usd=self._cost_usd)


class Raises:
    """A model that is not there."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        raise RuntimeError("no such model")


def ask(who: str, what: str = "otters") -> Call:
    return who, {"input": what}


def finder(name: str | None = None, *, cost_usd: float = 0.0, guards: Guards | None = None) -> Agent:
    return Agent(Finds(cost_usd=cost_usd), name=name, guards=guards)


def boss_of(*workers: Tool, batches: list[list[Call]], **options: Any) -> Agent:
    return Agent(Boss(*batches), tools=list(workers), **options)


def asking_leave(pay: Tool | None = None, *, name: str | None = None) -> Agent:
    """Pays once, when somebody says so; then answers what it was told."""
    return Agent(Boss([("pay", {"amount": 5})]), tools=[pay or PAY], name=name)


def waiting(gate: Gate, *, name: str | None = None, batches: int = 1) -> Agent:
    """Is within its tool until the gate is open."""

    @tool
    async def hold() -> str:
        """Wait."""
        await gate.pass_through()
        return "let through"

    wish: Call = ("hold", {})
    return Agent(Boss(*([[wish]] * batches)), tools=[hold], name=name)


@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


PAY: Tool = pay

TOKENS = 15
"""Of each answer of these models."""


def tokens(answers: int, *, cost_usd: float = 0.0) -> Usage:
    return Usage(input_tokens=10 * answers, output_tokens=5 * answers, cost_usd=cost_usd)


def made_twice(make: Callable[[], Agent]) -> tuple[Agent, Agent]:
    """One for the kernel, one for a worker, so that nothing in the process survives from one run to the other."""
    return make(), make()
