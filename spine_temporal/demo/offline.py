"""A model provider that plans by rules, without a network or a key."""

import asyncio
import json
import math
import os
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from spine_core import Message, ModelResponse, ToolCall, Usage
from spine_core.provider import StreamChunk, register_provider

from spine_temporal.demo.planner.moves import next_move
from spine_temporal.demo.planner.notebook import read_conversation, text_of

THINK_ENV = "SPINE_TEMPORAL_DEMO_THINK_S"
_CHARS_PER_TOKEN = 4
_LONGEST_THINK_S = 3600.0


class OfflineProvider:
    """Answers questions about a folder of source code by calling `list_files`, `grep` and `read_file`.

    Every response is decided from the messages and tools it is given: nothing is kept between calls, so any process can
    continue any conversation. There is one planner; `model` is only a name. It costs nothing; its tokens are estimated
    as 4 characters each. `think_s` seconds pass before a response, or are spread over the words of a streamed one.
    """

    costs_nothing: Final = True

    def __init__(self, model: str = "planner", *, think_s: float = 0.0) -> None:
        self.model = model
        self.think_s = think_s

    async def complete(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **_: Any
    ) -> ModelResponse:
        """The next step of the conversation; equal for equal conversations."""
        await asyncio.sleep(self.think_s)
        return respond(messages, tools or [])

    async def stream(
        self, messages: list[Message], tools: list[dict[str, Any]] | None = None, **_: Any
    ) -> AsyncIterator[StreamChunk]:
        """The same response word by word; the words joined are its content."""
        response = respond(messages, tools or [])
        words = re.findall(r"\s*\S+\s*", response.message.content or "")
        for word in words:
            await asyncio.sleep(self.think_s / len(words))
            yield StreamChunk(delta=word)
        yield StreamChunk(response=response)


def respond(messages: list[Message], tools: list[dict[str, Any]]) -> ModelResponse:
    """The planner's next move as a model's response."""
    book = read_conversation(messages)
    move = next_move(book, {str(schema.get("name")) for schema in tools})
    calls = [
        ToolCall(id=f"call_{number}", name=name, arguments=arguments)
        for number, (name, arguments) in enumerate(move.calls, book.calls + 1)
    ]
    message = Message.assistant(move.say, calls)
    spent = Usage(
        input_tokens=_tokens(messages) + len(json.dumps(tools)) // _CHARS_PER_TOKEN, output_tokens=_tokens([message])
    )
    return ModelResponse(message=message, usage=spent, finish_reason="tool_calls" if calls else "stop")


def _tokens(messages: list[Message]) -> int:
    texts = (
        text_of(message) + "".join(json.dumps(call.arguments) for call in message.tool_calls) for message in messages
    )
    return sum(map(len, texts)) // _CHARS_PER_TOKEN


def _from_environment(model: str) -> OfflineProvider:
    text = os.environ.get(THINK_ENV, "0")
    try:
        think_s = float(text)
    except ValueError:
        think_s = math.nan
    if not 0 <= think_s <= _LONGEST_THINK_S:
        raise ValueError(f"{THINK_ENV}={text!r} is not a number of seconds; set for example {THINK_ENV}=1.5")
    return OfflineProvider(model, think_s=think_s)


register_provider("offline", _from_environment)
