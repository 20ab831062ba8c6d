"""The kernel's side of the table of differences: what it does with odd values."""

import math

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError
from spine_core import Agent, Interrupt, Message, ModelResponse, Usage, tool
from spine_core.testing import ScriptedProvider, calls, text

from tests.features.values.signing import Signer


@tool
async def ask() -> str:
    """Ask a person."""
    raise Interrupt("?")


def asking() -> Agent:
    return Agent(ScriptedProvider(calls(("ask", {})), text("done")), tools=[ask])


async def test_half_of_a_surrogate_pair_raises() -> None:
    with pytest.raises(PydanticSerializationError, match="surrogates not allowed"):
        await Agent(ScriptedProvider(text("half a fox \ud83e"))).run("go")


async def test_nan_is_null_after_a_checkpoint_and_makes_it_unreadable_as_a_cost() -> None:
    answer = ModelResponse(message=Message.assistant("heard"), usage=Usage(cost_usd=math.nan))
    agent = Agent(ScriptedProvider(answer))
    await agent.run("go", session_id="nan")

    with pytest.raises(ValidationError, match="cost_usd"):
        await agent.run("go on", session_id="nan")


async def test_messages_of_a_class_of_the_providers_have_spines_fields_only_after_a_checkpoint() -> None:
    provider = Signer([], [])
    agent = Agent(provider)
    for said in ("go", "go on"):
        await agent.run(said, session_id="signed")

    assert [each[:2] for each in provider.got[-1]] == [("Message", None)]


class Offer(BaseModel):
    amount: int = 5


async def test_model_as_an_answer_is_its_json_without_blanks() -> None:
    agent = asking()
    paused = await agent.run("go")

    result = await agent.resume(str(paused.resume_token), Offer())

    assert result.state.messages[-2].content == '{"amount":5}'
