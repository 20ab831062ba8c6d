"""For any script, the core of the activities makes the run that the kernel makes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from spine_core import Agent, Message, State, StepContext
from spine_core.testing import ScriptedProvider, text

from tests.parity.scripts import CONVERSATIONS, Conversation
from tests.rooms.activities.drive import drive
from tests.support.harness import assert_same

QUICK = settings(max_examples=250, deadline=None, derandomize=True)


@QUICK
@given(conversation=CONVERSATIONS)
async def test_any_conversation_has_the_kernels_result(conversation: Conversation) -> None:
    theirs = await conversation.agent().run("count the otters")

    ours = await drive(conversation.agent(), "count the otters")

    assert_same(ours, theirs)


@QUICK
@given(conversation=CONVERSATIONS)
async def test_any_conversation_with_parallel_tools_has_the_kernels_state(conversation: Conversation) -> None:
    def agent() -> Agent:
        agent = replace(conversation, hooked=False).agent()
        agent.parallel_tools = True
        return agent

    theirs = await agent().run("count the otters")
    ours = await drive(agent(), "count the otters")

    # The kernel tells events of calls side by side as they happen to come.
    assert ours.state.model_dump(exclude={"session_id"}) == theirs.state.model_dump(exclude={"session_id"})
    assert (ours.answer, ours.stopped_reason, ours.error) == (theirs.answer, theirs.stopped_reason, theirs.error)


class Forgetful:
    """Lets the model go on twice, then forgets a message before it answers, in the same words."""

    def __init__(self, forget: int) -> None:
        self._forget = forget

    async def before_model(self, ctx: StepContext) -> None:
        if ctx.state.step == 3:
            self._drop(ctx.state)

    async def after_model(self, ctx: StepContext) -> None:
        ctx.force_continue = ctx.state.step < 3

    def _drop(self, state: State) -> None:
        del state.messages[self._forget]


@pytest.mark.parametrize("forget", [0, 1])
async def test_answer_that_repeats_an_older_message_is_the_answer(forget: int) -> None:
    def agent() -> Agent:
        return Agent(ScriptedProvider(text("not yet")), middleware=[Forgetful(forget)])

    theirs = await agent().run("go")
    ours = await drive(agent(), "go")

    assert theirs.answer == "not yet"
    assert theirs.state.messages[-1] == Message.assistant("not yet")
    assert_same(ours, theirs)
