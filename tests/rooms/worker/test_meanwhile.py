"""What comes from outside while an activity is at work reaches the activities after it."""

import uuid

import pytest
from spine_core import Agent, Message, ModelResponse, Usage

from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable

pytestmark = pytest.mark.durable


class Listener:
    """Says what it has heard; waits at the gate when it is told to."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def complete(self, messages: list[Message], *_: object, **__: object) -> ModelResponse:
        heard = [str(message.content) for message in messages if message.role == "user"]
        if heard[-1] == "wait":
            await self._gate.pass_through()
        return ModelResponse(message=Message.assistant(" ".join(heard)), usage=Usage(input_tokens=1))


async def test_what_the_user_says_while_the_model_works_is_heard_in_its_turn(durable: Durable) -> None:
    gate = Gate()
    served = durable(Agent(Listener(gate)))
    session = f"meanwhile-{uuid.uuid4().hex}"
    await served.start("wait", session_id=session)
    await gate.begun.wait()

    second = await served.start("one", session_id=session)
    third = await served.start("two", session_id=session)
    gate.open.set()

    assert (await second.result()).answer == "wait one"
    assert (await third.result()).answer == "wait one two"
    await served.get_run(session).stop()
