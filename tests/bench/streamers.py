"""Who writes an answer of 500 tokens: an agent, and a workflow with a stream."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

from spine_core import Agent, Message, ModelResponse, StreamChunk
from temporalio import activity, workflow
from temporalio.contrib.workflow_streams import WorkflowStream, WorkflowStreamClient

NAME: Final = "streamer"
TOPIC: Final = "tokens"
_TOKENS: Final = 500
_EVERY_S: Final = 0.01
_BATCH: Final = timedelta(milliseconds=100)
_TIMEOUT: Final = timedelta(minutes=1)


async def written_tokens() -> AsyncIterator[str]:
    """As a model writes them: each says when that was, and all are of one length."""
    for _ in range(_TOKENS):
        await asyncio.sleep(_EVERY_S)
        yield f"{time.time():.4f} "


class _Streaming:
    """A provider that streams."""

    async def complete(self, messages: list[Message], tools: object = None, **_: object) -> ModelResponse:
        return _response("".join([token async for token in written_tokens()]))

    async def stream(self, messages: list[Message], tools: object = None, **_: Any) -> AsyncIterator[StreamChunk]:
        written = ""
        async for token in written_tokens():
            written += token
            yield StreamChunk(delta=token)
        yield StreamChunk(response=_response(written))


def agent() -> Agent:
    """Answers by those tokens."""
    return Agent(_Streaming(), name=NAME)


@activity.defn(name="bench.stream")
async def publish() -> str:
    """The same answer by workflow streams."""
    written = ""
    async with WorkflowStreamClient.from_within_activity(batch_interval=_BATCH) as stream:
        topic = stream.topic(TOPIC, type=str)
        async for token in written_tokens():
            written += token
            topic.publish(token)
    return written


@workflow.defn(name="bench.streams")
class StreamedAnswer:
    """A workflow with a stream."""

    @workflow.init
    def __init__(self) -> None:
        self.stream = WorkflowStream()

    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(publish, start_to_close_timeout=_TIMEOUT)


def _response(text: str) -> ModelResponse:
    return ModelResponse(message=Message.assistant(text))
