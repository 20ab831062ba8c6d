"""Agents whose tools want a person's word, and what a test needs to see of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from spine_core import Agent, Interrupt, Message, ModelResponse, Result, State, Tool, tool
from spine_core.testing import calls, text
from temporalio.client import Client

from spine_temporal import Run
from spine_temporal.errors import SpineTemporalError
from tests.support.agents_at_hand import add
from tests.support.harness import history_of

_BOUND_S: Final = 60.0


@tool(approve=True)
async def pay(amount: int, to: str = "acme") -> str:
    """Pay an invoice."""
    return f"paid {amount} to {to}"


@tool
async def ask(question: str) -> str:
    """Ask a person."""
    raise Interrupt({"question": question})


TOOLS: list[Tool] = [pay, ask, add]
STEPS: list[list[tuple[str, Any]]] = [
    [("pay", {"amount": 5}), ("ask", {"question": "sure?"}), ("add", {"a": 1, "b": 2})],
    [("pay", {"amount": 6})],
]


class Diary:
    """Writes into the State when a run starts and stops, and tells the test."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def on_run_start(self, state: State) -> None:
        self._write(state, "start")

    async def on_run_end(self, state: State, result: Result) -> None:
        assert result.state is state
        self._write(state, f"end {result.stopped_reason.value}")

    def _write(self, state: State, line: str) -> None:
        self.lines.append(line)
        state.scratch["lines"] = len(self.lines)


class Scripted:
    """A model that says its lines in order; which is next it knows from the conversation, so any worker may ask it."""

    def __init__(self, lines: tuple[ModelResponse, ...]) -> None:
        self._lines = lines

    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        spoken = sum(message.role == "assistant" for message in messages)
        return self._lines[min(spoken, len(self._lines) - 1)].model_copy(deep=True)


def agent_that(*steps: Sequence[tuple[str, Any]], tools: list[Tool] | None = None, **options: Any) -> Agent:
    """An agent that makes these calls, one list a step, then says "done"."""
    lines = (*(calls(*step) for step in steps), text("done"))
    return Agent(Scripted(lines), tools=TOOLS if tools is None else tools, **options)


def results(run_state: Any) -> list[str | None]:
    """What the model was told by its tools."""
    return [message.content for message in run_state.messages if message.role == "tool"]


async def has_pending(run: Run, count: int) -> bool:
    """Whether that many calls wait for a person."""
    return len(await run.pending()) == count


@asynccontextmanager
async def refused(client: Client, run: Run, error: type[SpineTemporalError], match: str) -> AsyncIterator[None]:
    """The body is refused with these words, and nothing enters the history."""
    before = len((await history_of(client, run)).events)
    with pytest.raises(error, match=match):
        yield
    assert len((await history_of(client, run)).events) == before
