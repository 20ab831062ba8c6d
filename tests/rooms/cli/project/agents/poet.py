"""Writes word by word; a word that names a file is waited for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from anyio import Path
from spine_core import Agent, Message, ModelResponse
from spine_core.provider import StreamChunk


class Poet:
    """Says what it was told, after how many times it was told something by now."""

    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        return ModelResponse(message=Message.assistant(_answer(messages)))

    async def stream(self, messages: list[Message], *_: Any, **__: Any) -> AsyncIterator[StreamChunk]:
        for word in _answer(messages).split(" "):
            yield StreamChunk(delta=word if word.endswith(".") else f"{word} ")
            while word.startswith("/") and not await Path(word).exists():
                await asyncio.sleep(0.02)
        yield StreamChunk(response=await self.complete(messages))


def _answer(messages: list[Message]) -> str:
    spoken = [str(message.content) for message in messages if message.role == "user"]
    return f"Verse {len(spoken)}: {spoken[-1]} it was."


agent = Agent(Poet())
