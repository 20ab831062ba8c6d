"""An agent whose every model call and tool call leaves a line in a file, and may be held at any of them."""

import asyncio
import os
from pathlib import Path
from typing import Any

from spine_core import Agent, Message, ModelResponse, Tool, ToolCall, Usage, tool

from spine_temporal import durable, idempotency_key

ROUNDS = 3


class Effects:
    """What really happened in the world, across all worker processes: `started` and `finished` lines in a file.

    A point is held while a file `hold-POINT` stands in the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "effects"

    def lines(self) -> list[str]:
        return self._file.read_text().splitlines() if self._file.exists() else []

    def count(self, line: str) -> int:
        return self.lines().count(line)

    def note(self, line: str) -> None:
        self._write(line)

    def hold(self, point: str) -> None:
        (self._folder / f"hold-{point}").touch()

    def release(self, point: str) -> None:
        (self._folder / f"hold-{point}").unlink()

    async def happen(self, point: str) -> None:
        self._write(f"started {point}")
        while (self._folder / f"hold-{point}").exists():
            await asyncio.sleep(0.02)
        self._write(f"finished {point}")

    def _write(self, line: str) -> None:
        with self._file.open("a") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())


class Counter:
    """A model that asks for the next number until it has them all; it knows where it is from the conversation."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        done = sum(message.role == "tool" for message in messages)
        await self._effects.happen(f"model-{done}")
        if done == ROUNDS:
            answer = ", ".join(str(message.content) for message in messages if message.role == "tool")
            return ModelResponse(message=Message.assistant(answer), usage=Usage(input_tokens=1))
        call = ToolCall(id=f"c{done}", name="count", arguments={"n": done})
        return ModelResponse(message=Message.assistant(None, [call]), usage=Usage(input_tokens=1, output_tokens=1))


def counting_agent(folder: Path) -> Agent:
    effects = Effects(folder)
    return Agent(Counter(effects), tools=[_count_tool(effects)], name="counter", system="count")


def _count_tool(effects: Effects) -> Tool:
    @tool
    async def count(n: int) -> str:
        """Count."""
        effects.note(f"key {n} {idempotency_key()}")
        await effects.happen(f"tool-{n}")
        return f"otter {n}"

    assert isinstance(count, Tool)
    return count


class Payer:
    """A model that pays once, then tells what came of it."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        told = [str(message.content) for message in messages if message.role == "tool"]
        await self._effects.happen(f"model-{len(told)}")
        if told:
            return ModelResponse(message=Message.assistant(", ".join(told)), usage=Usage(input_tokens=1))
        call = ToolCall(id="c0", name="pay", arguments={"amount": 5})
        return ModelResponse(message=Message.assistant(None, [call]), usage=Usage(input_tokens=1, output_tokens=1))


def paying_agent(folder: Path) -> Agent:
    effects = Effects(folder)
    return Agent(Payer(effects), tools=[_pay_tool(effects)], name="payer")


def paying_once_agent(folder: Path) -> Agent:
    """Its tool is not begun again, whatever becomes of the worker."""
    effects = Effects(folder)

    @tool
    @durable(at_most_once=True)
    async def pay(amount: int) -> str:
        """Pay."""
        await effects.happen("pay")
        return f"paid {amount}"

    return Agent(Payer(effects), tools=[pay], name="pays_once")


class Moody:
    """A model that is away when it is asked first."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        if not self._effects.count("in a bad mood"):
            self._effects.note("in a bad mood")
            raise ConnectionError("in a bad mood")
        await self._effects.happen("in a good mood")
        return ModelResponse(message=Message.assistant("well"))


def moody_agent(folder: Path) -> Agent:
    return Agent(Moody(Effects(folder)), name="moody")


def _pay_tool(effects: Effects) -> Tool:
    @tool(approve=True)
    async def pay(amount: int) -> str:
        """Pay."""
        await effects.happen("pay")
        return f"paid {amount}"

    assert isinstance(pay, Tool)
    return pay
