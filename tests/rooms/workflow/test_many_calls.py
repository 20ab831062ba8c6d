"""A step with more calls than may work at once runs them in waves, and its results are the kernel's."""

import asyncio

import pytest
from spine_core import Agent, Message, ModelResponse, ToolCall, Usage, tool

from spine_temporal.journal import tool_calls
from tests.support.harness import Durable

pytestmark = pytest.mark.durable

CALLS = 23
WAVE = 5


class Asks:
    """A model that asks for many calls at once, then is content."""

    async def complete(self, messages: list[Message], *_: object, **__: object) -> ModelResponse:
        if messages[-1].role == "tool":
            return ModelResponse(message=Message.assistant("done"), usage=Usage(input_tokens=1))
        asked = [ToolCall(id=f"call_{at}", name="square", arguments={"of": at}) for at in range(CALLS)]
        return ModelResponse(message=Message.assistant(None, asked), usage=Usage(input_tokens=1))


async def test_calls_beyond_a_wave_wait_for_it_and_enter_in_the_models_order(
    durable: Durable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_calls, "MAX_AT_WORK", WAVE)
    at_work, most_at_work = set[int](), list[int]()

    @tool
    async def square(of: int) -> int:
        """Square."""
        at_work.add(of)
        most_at_work.append(len(at_work))
        await asyncio.sleep(0)
        at_work.remove(of)
        return of * of

    def agent() -> Agent:
        return Agent(Asks(), tools=[square], parallel_tools=True)

    result = await durable(agent()).run("go")
    most = max(most_at_work)

    assert result.state.messages == (await agent().run("go")).state.messages
    # The last wave may begin with the one before it still at work.
    assert 0 < most <= 2 * WAVE
