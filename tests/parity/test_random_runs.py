"""For any script, a durable run and a kernel run have equal Results."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from spine_core import Agent, Message, StepContext
from spine_core.testing import ScriptedProvider, text
from temporalio.client import Client

from tests.parity.scripts import CONVERSATIONS, Conversation
from tests.support import soak
from tests.support.harness import MODES, ONE_CACHE, Durable, Mode, assert_same

pytestmark = [pytest.mark.durable, pytest.mark.every_mode]


def quickly(most: int) -> settings:
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=soak.examples(most), deadline=None, derandomize=True, suppress_health_check=checks)


@quickly(12)
@given(conversation=CONVERSATIONS)
async def test_any_conversation_ends_as_on_the_kernel(client: Client, mode: Mode, conversation: Conversation) -> None:
    await assert_as_on_the_kernel(client, mode, conversation)


@pytest.mark.parametrize("mode", ONE_CACHE, ids=lambda mode: mode.name)
@quickly(5)
@given(conversation=CONVERSATIONS)
async def test_it_does_so_without_one_of_the_caches(client: Client, mode: Mode, conversation: Conversation) -> None:
    await assert_as_on_the_kernel(client, mode, conversation)


@quickly(16)
@given(conversation=CONVERSATIONS)
async def test_any_conversation_with_parallel_tools_has_the_kernels_state(
    client: Client, conversation: Conversation
) -> None:
    def agent() -> Agent:
        agent = replace(conversation, hooked=False).agent()
        agent.parallel_tools = True
        return agent

    theirs = await agent().run("count the otters")

    async with Durable(client, MODES[0]) as durable:
        ours = await durable(agent()).run("count the otters")

    # The kernel's trace has the events of parallel calls as they happen to come.
    assert ours.state.model_dump(exclude={"session_id"}) == theirs.state.model_dump(exclude={"session_id"})
    assert (ours.answer, ours.stopped_reason, ours.error) == (theirs.answer, theirs.stopped_reason, theirs.error)


class Forgetful:
    """Lets the model go on twice, then forgets a message before it answers, in the same words."""

    def __init__(self, forget: int) -> None:
        self._forget = forget

    async def before_model(self, ctx: StepContext) -> None:
        if ctx.state.step == 3:
            del ctx.state.messages[self._forget]

    async def after_model(self, ctx: StepContext) -> None:
        ctx.force_continue = ctx.state.step < 3


@pytest.mark.parametrize("forget", [0, 1])
async def test_answer_that_repeats_an_older_message_is_the_answer(durable: Durable, forget: int) -> None:
    def agent() -> Agent:
        return Agent(ScriptedProvider(text("not yet")), middleware=[Forgetful(forget)])

    theirs = await agent().run("go")
    ours = await durable(agent()).run("go")

    assert theirs.answer == "not yet"
    assert theirs.state.messages[-1] == Message.assistant("not yet")
    assert_same(ours, theirs)


async def assert_as_on_the_kernel(client: Client, mode: Mode, conversation: Conversation) -> None:
    theirs = await conversation.agent().run("count the otters")

    async with Durable(client, mode) as durable:
        ours = await durable(conversation.agent()).run("count the otters")

    assert_same(ours, theirs)
