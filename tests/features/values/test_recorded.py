"""A recording has the model's answers, whatever hooks made of the conversation."""

from collections.abc import Callable

import pytest
from spine_core import Agent, Message, State, StepContext
from spine_core.testing import ScriptedProvider, calls, text
from spine_middleware import Replayer

from spine_temporal import recording
from tests.features.sessions.talk import new_session
from tests.support.agents_at_hand import add
from tests.support.harness import Durable

pytestmark = pytest.mark.durable

type Rewrite = Callable[[State], object]


class Rewriting:
    """Middleware that rewrites the conversation behind the model's back."""

    def __init__(self, rewrite: Rewrite) -> None:
        self._rewrite = rewrite

    async def after_model(self, ctx: StepContext) -> None:
        self._rewrite(ctx.state)


def without_the_last(state: State) -> None:
    if state.step > 1:
        del state.messages[-1]


def summed_up(state: State) -> None:
    state.messages[:] = [Message.user("go"), Message.assistant("in short")]


def emptied(state: State) -> None:
    state.messages.clear()


def repeated(state: State) -> None:
    state.messages.append(Message.assistant("done"))


def swapped(state: State) -> None:
    if state.step > 1:
        state.messages[-1] = Message.assistant("done")
        state.messages.insert(0, Message.system("be brief"))


@pytest.mark.parametrize("rewrite", [without_the_last, summed_up, emptied, repeated, swapped])
async def test_recording_of_a_conversation_whose_tail_was_rewritten_happens_again(
    durable: Durable, rewrite: Rewrite
) -> None:
    script = calls(("add", {"a": 1, "b": 2})), text("done")
    run = await durable(Agent(ScriptedProvider(*script), tools=[add], middleware=[Rewriting(rewrite)])).start("go")
    ours = await run.result()

    never = ScriptedProvider(text("never asked"))
    middleware = [Rewriting(rewrite), Replayer(await recording(run))]
    again = await Agent(never, tools=[add], middleware=middleware).run("go")

    assert (again.answer, never.calls) == (ours.answer, [])
    assert again.state.messages == ours.state.messages


class TakingBack:
    """Middleware that takes back what was said last before the model answers, and what it had answered then."""

    async def before_model(self, ctx: StepContext) -> None:
        self._take_back(ctx.state)

    async def after_model(self, ctx: StepContext) -> None:
        self._take_back(ctx.state)

    def _take_back(self, state: State) -> None:
        if state.step > 1:
            del state.messages[-1]


async def test_answer_in_the_place_of_the_same_words_is_recorded(durable: Durable) -> None:
    session = new_session()
    served = durable(Agent(ScriptedProvider(text("done")), middleware=[TakingBack()]))
    await served.run("go", session_id=session)

    result = await served.run("go on", session_id=session)

    assert [message.content for message in result.state.messages] == ["go", "done"]
    (answer,) = (await recording(served.runs[-1]))["model"]
    assert answer["message"]["content"] == "done"
