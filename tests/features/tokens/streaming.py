"""A model that writes in pieces, and stops where a test wants it to."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from spine_core import Agent, Guards, Message, ModelResponse, ToolCall, TraceEvent, Usage
from spine_core.provider import StreamChunk

from tests.support.agents_at_hand import Gate, add

TEXTS: Final = ("Let me see: one and ", "two are three. ", "Größte Otter zuerst, 🦦 too.")


class Streams:
    """Asks for the sum first, then says it, in the same pieces each time; at a gate it waits behind its first piece.

    What `fails` raises, if it raises, it raises there.
    """

    def __init__(self, *gates: Gate | None, fails: Any = None) -> None:
        self.gates = list(gates)
        self.fails = fails
        self.asked = 0

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        return _response(messages)

    async def stream(self, messages: list[Message], tools: Any = None, **_: Any) -> AsyncIterator[StreamChunk]:
        at, self.asked = self.asked, self.asked + 1
        for piece in _pieces(messages):
            yield StreamChunk(delta=piece)
            gate = self.gates[at] if at < len(self.gates) else None
            if gate is not None:
                await gate.pass_through()
            if self.fails is not None:
                self.fails(at)
        yield StreamChunk(response=_response(messages))


class OnlyStreams(Streams):
    """Cannot be asked for its answer as a whole."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        raise NotImplementedError("it only streams")


def agent(provider: Any, **options: Any) -> Agent:
    return Agent(provider, tools=[add], system="add", guards=Guards(max_steps=None), **options)


def told(events: Sequence[TraceEvent]) -> list[tuple[str, int, dict[str, Any]]]:
    """Type, step, data; tokens that follow each other are one."""
    joined: list[tuple[str, int, dict[str, Any]]] = []
    for event in events:
        if event.type == "token" and joined and joined[-1][0] == "token" and "replaces" not in event.data:
            before = joined.pop()[2]
            joined.append(("token", event.step, {**before, "delta": before["delta"] + event.data["delta"]}))
        else:
            joined.append((str(event.type), event.step, event.data))
    return joined


def _calls(messages: list[Message]) -> bool:
    return messages[-1].role == "user"


def _pieces(messages: list[Message]) -> tuple[str, ...]:
    return TEXTS if _calls(messages) else TEXTS[::-1]


def _response(messages: list[Message]) -> ModelResponse:
    calls = [ToolCall(id="call", name="add", arguments={"a": 1, "b": 2})] if _calls(messages) else []
    return ModelResponse(
        message=Message.assistant("".join(_pieces(messages)), calls),
        usage=Usage(input_tokens=3, output_tokens=2, cost_usd=0.25),
        finish_reason="tool_calls" if calls else "stop",
    )
