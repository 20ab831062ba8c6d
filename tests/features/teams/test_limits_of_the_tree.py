"""How deep agents may delegate, what they may spend together."""

import logging
from typing import Any

import pytest
from spine_core import Agent, Guards, StopReason

from tests.features.teams.crews import PAY, TOKENS, Boss, Finds, ask, asking_leave, boss_of, finder
from tests.features.teams.serving import ONE_MODE, Crew, children_of
from tests.support.subagents import run_below, workflow_below

pytestmark = pytest.mark.durable


def each_other(*, max_depth: int, guards: Guards | None = None) -> Agent:
    """A asks B, which asks A, which asks B."""
    a = Agent(Boss([ask("b")]), name="a", guards=guards)
    b = Agent(Boss([ask("a")]), name="b", guards=guards)
    for one, other in ((a, b), (b, a)):
        delegate = other.as_tool(max_depth=max_depth)
        one.tools[delegate.name] = delegate
    return a


async def test_agents_that_ask_each_other_end_at_the_depth_of_the_tool(crew: Crew) -> None:
    a = each_other(max_depth=3)
    run = await (await crew.serve({"a": a}, "a")).start("go")

    result = await run.result()

    assert result.answer == "Error: max delegation depth (3) exceeded"
    assert result.answer == (await a.run("go")).answer
    deepest = await workflow_below(crew.client, run.workflow_id, "1.0", "1.0", "1.0")
    assert await children_of(crew.client, await workflow_below(crew.client, run.workflow_id, "1.0", "1.0")) == [deepest]
    assert await children_of(crew.client, deepest) == []


async def test_agents_that_ask_each_other_end_at_the_depth_of_their_guards(crew: Crew) -> None:
    a = each_other(max_depth=99, guards=Guards(max_depth=1))

    # At depth two no step is taken; the kernel never counts so far.
    assert (await (await crew.serve({"a": a}, "a")).run("go")).answer == "[sub-agent stopped: max_depth]"


async def test_an_agent_below_stops_by_its_own_guards(crew: Crew) -> None:
    worker = boss_of(finder().as_tool(name="find"), batches=[[ask("find")]], guards=Guards(max_steps=1))
    boss = boss_of(worker.as_tool(name="work"), batches=[[ask("work")]])

    result = await (await crew.serve({"boss": boss})).run("go")

    assert result.answer == "[sub-agent stopped: max_steps]"
    assert result.answer == (await boss.run("go")).answer


async def test_what_agents_below_spend_counts_against_the_cost_limit_above(crew: Crew) -> None:
    boss = boss_of(
        finder(cost_usd=0.6).as_tool(name="find"),
        batches=[[ask("find")], [ask("find")], [ask("find")]],
        guards=Guards(max_cost_usd=1.0),
    )

    result = await (await crew.serve({"boss": boss})).run("go")

    assert result.stopped_reason is StopReason.MAX_COST
    assert (result.usage.cost_usd, result.state.step) == (1.2, 2)


async def test_what_agents_below_spend_counts_against_the_token_limit_above(crew: Crew) -> None:
    boss = boss_of(
        finder().as_tool(name="find"), batches=[[ask("find")], [ask("find")]], guards=Guards(max_tokens=2 * TOKENS)
    )

    result = await (await crew.serve({"boss": boss})).run("go")

    assert result.stopped_reason is StopReason.MAX_TOKENS
    assert (result.usage.total_tokens, result.state.step) == (2 * TOKENS, 1)


async def test_an_agent_below_stops_when_what_is_left_above_is_spent(crew: Crew) -> None:
    worker = Agent(
        Boss([ask("find")], [ask("find")], [ask("find")], cost_usd=0.4), tools=[finder().as_tool(name="find")]
    )
    boss = boss_of(worker.as_tool(name="work"), batches=[[ask("work")]], guards=Guards(max_cost_usd=1.0))
    durable = await crew.serve({"boss": boss})
    run = await durable.start("go")

    result = await run.result()

    below = await durable.get_run(await run_below(crew.client, run, "1.0")).result()
    assert (below.stopped_reason, below.state.step) == (StopReason.MAX_COST, 3)
    assert result.stopped_reason is StopReason.MAX_COST
    assert result.state.messages[-1].content == "[sub-agent stopped: max_cost]"


async def test_what_is_left_is_handed_down_through_two_levels(crew: Crew) -> None:
    second = boss_of(Agent(Finds(cost_usd=5.0)).as_tool(name="find"), batches=[[ask("find")], [ask("find")]])
    boss = boss_of(second.as_tool(name="second"), batches=[[ask("second")]], guards=Guards(max_cost_usd=5.0))
    durable = await crew.serve({"boss": boss})
    run = await durable.start("go")

    result = await run.result()

    assert (result.stopped_reason, result.usage.cost_usd) == (StopReason.MAX_COST, 5.0)
    assert (
        await durable.get_run(await run_below(crew.client, run, "1.0")).result()
    ).stopped_reason is StopReason.MAX_COST
    assert await children_of(crew.client, await workflow_below(crew.client, run.workflow_id, "1.0")) == [
        await workflow_below(crew.client, run.workflow_id, "1.0", "1.0")
    ]


async def test_a_limit_from_above_holds_after_a_pause(crew: Crew) -> None:
    worker = asking_leave()
    boss = boss_of(worker.as_tool(name="clerk"), batches=[[ask("clerk")]], guards=Guards(max_tokens=2 * TOKENS))
    durable = await crew.serve({"boss": boss})
    paused = await durable.run("go")

    result = await durable.resume(str(paused.resume_token))

    assert result.stopped_reason is StopReason.MAX_TOKENS
    assert result.state.messages[-1].content == "[sub-agent stopped: max_tokens]"


class OwnGuards(Guards):
    """Guards that no workflow can check."""

    def check(self, state: Any, elapsed_s: float) -> StopReason | None:
        return None


async def test_an_agent_below_with_guards_of_its_own_class_runs_within_the_call(
    crew: Crew, caplog: pytest.LogCaptureFixture
) -> None:
    boss = boss_of(finder(guards=OwnGuards()).as_tool(name="find"), batches=[[ask("find")]])
    with caplog.at_level(logging.WARNING):
        run = await (await crew.serve({"boss": boss})).start("go")

    assert (await run.result()).answer == "found otters"
    assert await children_of(crew.client, run.workflow_id) == []
    assert "tool 'find' of agent 'boss' is an agent that runs within the call" in caplog.text


@pytest.mark.parametrize("who", ["the run", "the agent in the middle", "the agent that asks"])
@ONE_MODE
async def test_what_agents_that_are_cancelled_have_spent_is_counted_above(crew: Crew, who: str) -> None:
    asks = Agent(Boss([("pay", {"amount": 5})], cost_usd=0.5), tools=[PAY])
    middle = Agent(Boss([ask("asks")], cost_usd=0.25), tools=[asks.as_tool(name="asks")])
    boss = Agent(Boss([ask("middle")], cost_usd=0.125), tools=[middle.as_tool(name="middle")])
    durable = await crew.serve({"boss": boss})
    run = await durable.start("go")
    assert (await run.result()).interrupted
    below = {
        "the run": run.id,
        "the agent in the middle": await run_below(crew.client, run, "1.0"),
        "the agent that asks": await run_below(crew.client, run, "1.0", "1.0"),
    }

    await durable.get_run(below[who]).cancel()

    result = await run.next_result(after=1)
    spent_since = {"the run": 0.0, "the agent in the middle": 0.125, "the agent that asks": 0.25 + 0.125}
    assert result.usage.cost_usd == 0.5 + 0.25 + 0.125 + spent_since[who]
