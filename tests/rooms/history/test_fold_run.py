"""An activity starts from the State that belongs to it, whatever its worker kept."""

import pytest
from spine_core import Agent, Guards, StepContext
from spine_core.testing import ScriptedProvider, calls, text

from tests.support.agents_at_hand import add
from tests.support.harness import Durable, activities_in, assert_same, history_of

pytestmark = pytest.mark.durable

ADDING = calls(("add", {"a": 1, "b": 2}))


class SecondWind:
    """Gives the run its steps back, once."""

    async def after_model(self, ctx: StepContext) -> None:
        if ctx.state.step == 2 and "rested" not in ctx.state.scratch:
            ctx.state.scratch["rested"] = True
            ctx.state.step = 0


class Counting:
    """A middleware whose every step depends on the State of the step before."""

    async def before_model(self, ctx: StepContext) -> None:
        ctx.state.scratch.setdefault("messages", []).append(len(ctx.messages))


async def test_every_activity_starts_from_all_that_was_before_it(durable: Durable) -> None:
    def agent() -> Agent:
        return Agent(ScriptedProvider(ADDING, ADDING, ADDING, text("9")), tools=[add], middleware=[Counting()])

    served = durable(agent())
    ours = await served.run("go")

    assert_same(ours, await agent().run("go"))
    assert ours.state.scratch == {"messages": [1, 3, 5, 7]}


async def test_step_that_a_hook_counted_back_starts_from_its_own_state(durable: Durable) -> None:
    def agent() -> Agent:
        return Agent(
            ScriptedProvider(*[ADDING] * 4, text("done")),
            tools=[add],
            guards=Guards(max_steps=3),
            middleware=[SecondWind(), Counting()],
        )

    served = durable(agent())
    theirs, ours = await agent().run("go"), await served.run("go")

    # Not the trace: the kernel gives the events of one step the step before and after the hook.
    assert ours.state.model_dump(exclude={"session_id"}) == theirs.state.model_dump(exclude={"session_id"})
    assert (ours.answer, ours.stopped_reason) == (theirs.answer, theirs.stopped_reason)
    history = await history_of(durable.client, served.runs[0])
    assert activities_in(history) == ["spine.step", "spine.tool"] * 4 + ["spine.step"]
