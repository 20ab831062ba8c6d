"""What an agent below asks of a person shows on the run that it works for."""

from typing import Any

import pytest
from spine_core import Agent, Interrupt, Result, RunStatus, tool

from spine_temporal import Decision, Run
from tests.features.teams.crews import PAY, Boss, ask, asking_leave, boss_of, finder, tokens
from tests.features.teams.serving import ALL_MODES, Crew
from tests.support.resets import reset, reset_points
from tests.support.subagents import run_below
from tests.support.waiting import until

pytestmark = [pytest.mark.durable, ALL_MODES]

PAYLOAD = {"tool": "pay", "arguments": {"amount": 5}}


def one_below(**options: Any) -> Agent:
    return boss_of(asking_leave().as_tool(name="clerk"), batches=[[ask("clerk", "pay")]], **options)


async def test_a_pause_below_pauses_the_run_above(crew: Crew) -> None:
    run = await (await crew.serve({"boss": one_below()})).start("go")

    result = await run.result()

    assert result.interrupted
    assert (result.interrupt, result.resume_token) == (PAYLOAD, run.id)
    assert result.state.status is RunStatus.INTERRUPTED
    assert result.state.pending is not None
    assert (result.state.pending.mode, result.state.pending.payload) == ("agent", PAYLOAD)
    assert result.state.pending.call.name == "clerk"
    assert [str(event.type) for event in result.trace][-2:] == ["tool_call", "interrupt"]
    assert result.trace[-1].data == {"mode": "agent", "payload": PAYLOAD}
    [approval] = await run.pending()
    assert (approval.run, approval.agent, approval.position) == (
        await run_below(crew.client, run, "1.0"),
        "boss/clerk",
        "1.0",
    )
    assert (approval.tool, approval.arguments, approval.payload) == ("pay", {"amount": 5}, PAYLOAD)


async def test_a_run_above_that_is_reset_hears_once_more_what_is_asked_below(crew: Crew) -> None:
    durable = await crew.serve({"boss": one_below()})
    run = await durable.start("go")
    assert (await run.result()).interrupted
    history = await crew.client.get_workflow_handle(run.workflow_id, run_id=run.run_id).fetch_history()

    await reset(crew.client, history, reset_points(history)[0])

    async def asked() -> bool:
        return bool(await run.pending())

    await until(asked, "the question of the agent below")
    again = await run.result()
    assert (again.interrupted, again.interrupt) == (True, PAYLOAD)
    assert (await durable.resume(str(again.resume_token), "approve")).answer == "paid 5"


async def test_resuming_the_run_above_decides_what_is_asked_below(crew: Crew) -> None:
    durable = await crew.serve({"boss": one_below()})
    paused = await durable.run("go")

    result = await durable.resume(str(paused.resume_token), "approve")

    assert result.answer == "paid 5"
    assert (result.state.status, result.state.pending) == (RunStatus.DONE, None)
    assert result.usage == tokens(4)
    assert [str(event.type) for event in result.trace] == [
        "tool_result",
        "step_start",
        "model_call",
        "model_response",
        "final",
    ]
    assert [event.seq for event in result.trace] == list(range(5))


async def test_what_is_asked_below_is_decided_on_the_run_above_with_all_that_may_be_said(crew: Crew) -> None:
    run = await (await crew.serve({"boss": one_below()})).start("go")
    await run.result()
    [approval] = await run.pending()

    decision = Decision(arguments={"amount": 7}, digest=approval.digest, decided_by="anna")
    decided = await run.decide(decision, f"{approval.run}/{approval.position}")

    assert (decided.position, decided.tool, decided.approved) == ("1.0", "pay", True)
    assert (await ended(run)).answer == "paid 7"
    assert await run.pending() == []


async def test_what_is_asked_below_is_decided_on_the_run_that_asks(crew: Crew) -> None:
    durable = await crew.serve({"boss": one_below()})
    run = await durable.start("go")
    await run.result()

    child = durable.get_run(await run_below(crew.client, run, "1.0"))
    await child.decide("no")

    assert (await ended(run)).answer == "Tool 'pay' was rejected by human: 'no'"
    assert (await child.result()).answer == "Tool 'pay' was rejected by human: 'no'"


async def test_a_question_passes_up_through_three_levels(crew: Crew) -> None:
    third = one_below()
    second = boss_of(third.as_tool(name="third"), batches=[[ask("third")]])
    durable = await crew.serve({"boss": boss_of(second.as_tool(name="second"), batches=[[ask("second")]])})
    run = await durable.start("go")

    result = await run.result()

    assert result.interrupt == PAYLOAD
    for above in (await run_below(crew.client, run, "1.0"), await run_below(crew.client, run, "1.0", "1.0")):
        assert (await durable.get_run(above).result()).interrupt == PAYLOAD
    [approval] = await run.pending()
    assert (approval.run, approval.agent) == (
        await run_below(crew.client, run, "1.0", "1.0", "1.0"),
        "boss/second/third/clerk",
    )
    assert (await durable.resume(run.id, "approve")).answer == "paid 5"


async def test_two_agents_below_ask_at_once(crew: Crew) -> None:
    clerk = asking_leave().as_tool(name="clerk")
    boss = boss_of(clerk, batches=[[ask("clerk", "a"), ask("clerk", "b")]], parallel_tools=True)
    durable = await crew.serve({"boss": boss})
    run = await durable.start("go")
    await run.result()

    pending = await run.pending()
    assert [approval.run for approval in pending] == [
        await run_below(crew.client, run, "1.0"),
        await run_below(crew.client, run, "1.1"),
    ]
    await run.decide("no", f"{await run_below(crew.client, run, '1.1')}/1.0")
    result = await durable.resume(run.id, "approve")

    assert result.answer == "paid 5 | Tool 'pay' was rejected by human: 'no'"
    assert result.usage == tokens(6)


async def test_a_run_stands_at_one_question_below_after_the_other(crew: Crew) -> None:
    boss = boss_of(asking_leave().as_tool(name="clerk"), batches=[[ask("clerk", "a"), ask("clerk", "b")]])
    durable = await crew.serve({"boss": boss})
    first = await durable.run("go")
    token = str(first.resume_token)

    second = await durable.resume(token)
    assert second.interrupted
    assert [approval.run for approval in await durable.get_run(token).pending()] == [
        await run_below(crew.client, durable.get_run(token), "1.1")
    ]

    assert (await durable.resume(token)).answer == "paid 5 | paid 5"


async def test_an_agent_below_that_asks_again_at_once_pauses_the_run_above_again(crew: Crew) -> None:
    clerk = Agent(Boss([("pay", {"amount": 1}), ("pay", {"amount": 2}), ("pay", {"amount": 3})]), tools=[PAY])
    durable = await crew.serve({"boss": boss_of(clerk.as_tool(name="clerk"), batches=[[ask("clerk")]])})
    result = await durable.run("go")
    token = str(result.resume_token)

    asked = []
    while result.interrupted:
        asked.append(result.interrupt["arguments"]["amount"])
        result = await durable.resume(token)

    assert asked == [1, 2, 3]
    assert result.answer == "paid 1 | paid 2 | paid 3"


async def test_a_question_that_a_tool_below_raises_takes_a_value(crew: Crew) -> None:
    @tool
    async def pay() -> str:
        """Ask how much."""
        raise Interrupt({"how": "much"})

    clerk = Agent(Boss([("pay", {})]), tools=[pay])
    durable = await crew.serve({"boss": boss_of(clerk.as_tool(name="clerk"), batches=[[ask("clerk")]])})
    paused = await durable.run("go")

    assert paused.interrupt == {"how": "much"}
    assert (await durable.resume(str(paused.resume_token), {"amount": 9})).answer == '{"amount": 9}'


async def test_a_run_above_that_has_a_question_of_its_own_shows_both(crew: Crew) -> None:
    boss = Agent(Boss([ask("clerk", "pay"), ("pay", {"amount": 5})]), tools=[asking_leave().as_tool(name="clerk"), PAY])
    durable = await crew.serve({"boss": boss})
    run = await durable.start("go")
    await run.result()

    assert [(each.run, each.position) for each in await run.pending()] == [
        (await run_below(crew.client, run, "1.0"), "1.0"),
        (run.id, "1.1"),
    ]
    await run.decide("approve", f"{run.id}/1.1")
    assert (await durable.resume(run.id, "approve")).answer == "paid 5 | paid 5"


async def test_a_delegation_that_is_gated_itself_begins_when_somebody_says_so(crew: Crew) -> None:
    find = finder().as_tool(name="find")
    find.approve = True
    boss = boss_of(find, batches=[[ask("find")]])
    durable = await crew.serve({"boss": boss})
    paused = await durable.run("go")
    assert paused.interrupt == {"tool": "find", "arguments": {"input": "otters"}}

    result = await durable.resume(str(paused.resume_token), Decision(arguments={"input": "seals"}))

    assert result.answer == "found seals"


async def test_hooks_above_see_what_was_found_after_a_pause(crew: Crew) -> None:
    class Notes:
        async def after_tool(self, ctx: Any) -> None:
            ctx.state.scratch["noted"] = ctx.result

        async def on_run_end(self, state: Any, result: Result) -> None:
            state.scratch.setdefault("ends", []).append(result.stopped_reason.value)

    durable = await crew.serve({"boss": one_below(middleware=[Notes()])})
    paused = await durable.run("go")

    result = await durable.resume(str(paused.resume_token))

    assert result.answer == "paid 5"
    assert result.state.scratch == {"noted": "paid 5", "ends": ["interrupt", "final"]}


async def test_a_run_above_that_is_stopped_ends_the_one_that_asks(crew: Crew) -> None:
    durable = await crew.serve({"boss": one_below()})
    run = await durable.start("go")
    await run.result()

    await run.stop()

    result = await ended(run)
    assert result.stopped_reason.value == "cancelled"
    assert (await ended(durable.get_run(await run_below(crew.client, run, "1.0")))).stopped_reason.value == "cancelled"
    assert await run.pending() == []


async def ended(run: Run) -> Result:
    """The run's Result once it stands still no more."""

    async def over() -> Result | None:
        result = await run.result()
        return None if result.interrupted else result

    result = await until(over, f"the end of {run.id}")
    assert isinstance(result, Result)
    return result
