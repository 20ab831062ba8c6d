"""Agents that only talk, only read, only take their time."""

import asyncio
from typing import Any, Final

from spine_core import Agent, Guards, Message, ModelResponse, ToolCall, tool

from tests.bench.prose import prose

TALKER: Final = "talker"
READER: Final = "reader"
PATIENT: Final = "patient"
PIECE_LETTERS: Final = 1_000_000


class _Talking:
    """A model that answers with as many letters as the first number in what was said."""

    async def complete(self, messages: list[Message], tools: object = None, **_: object) -> ModelResponse:
        letters = int((messages[-1].content or "").partition(" ")[0])
        return ModelResponse(message=Message.assistant(prose(letters, len(messages) // 2, marked=True)))


class _Reading:
    """A model that reads as many pieces as were said last, then says so."""

    async def complete(self, messages: list[Message], tools: object = None, **_: object) -> ModelResponse:
        said = next(at for at in reversed(range(len(messages))) if messages[at].role == "user")
        done, pieces = sum(each.role == "tool" for each in messages[said:]), int(messages[said].content or "")
        if done == pieces:
            return ModelResponse(message=Message.assistant(f"read {pieces}"))
        call = ToolCall(id=f"call_{len(messages)}", name="read", arguments={"at": len(messages)})
        return ModelResponse(message=Message.assistant(None, [call]))


class _Patient:
    """A model that takes a second for an answer, as a short one does."""

    async def complete(self, messages: list[Message], tools: object = None, **_: object) -> ModelResponse:
        await asyncio.sleep(1)
        return ModelResponse(message=Message.assistant("yes"))


@tool
async def read(at: int) -> str:
    """Read a piece."""
    return prose(PIECE_LETTERS, at)


def agents() -> list[Agent]:
    """All of them, with no limit on their steps."""
    given: dict[str, Any] = {"guards": Guards(max_steps=None)}
    reader = Agent(_Reading(), tools=[read], name=READER, **given)
    return [Agent(_Talking(), name=TALKER, **given), reader, Agent(_Patient(), name=PATIENT)]
