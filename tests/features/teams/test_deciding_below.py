"""A decision on what is asked below reaches the call it is meant for, and is one however often it is sent."""

import uuid

import pytest
from spine_core import Agent
from temporalio.client import WorkflowUpdateFailedError

from spine_temporal.contracts import names
from spine_temporal.errors import DecisionRefused
from tests.features.teams.crews import PAY, Boss, ask, asking_leave, boss_of
from tests.features.teams.serving import ALL_MODES, Crew

pytestmark = [pytest.mark.durable, ALL_MODES]


async def test_a_decision_without_a_name_is_for_the_call_at_which_the_run_is_paused_and_for_no_other(
    crew: Crew,
) -> None:
    boss = boss_of(asking_leave().as_tool(name="clerk"), PAY, batches=[[ask("clerk"), ("pay", {"amount": 99})]])
    run = await (await crew.serve({"boss": boss})).start("go")
    await run.result()
    below, own = await run.pending()
    handle = crew.client.get_workflow_handle(run.workflow_id)

    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await handle.execute_update(names.DECIDE_UPDATE, {"answer": "approve"})

    assert "paused at call 'call_0' (1.0, clerk), where another agent asks" in str(caught.value.cause)
    assert below.workflow_id in str(caught.value.cause)
    assert await run.pending() == [below, own]
    await run.decide("approve")
    assert (await run.next_result(after=1)).interrupt == {"tool": "pay", "arguments": {"amount": 99}}
    await handle.execute_update(names.DECIDE_UPDATE, {"answer": "no"})
    assert (await run.next_result(after=3)).answer == "paid 5 | Tool 'pay' was rejected by human: 'no'"


async def test_a_decision_reaches_an_agent_far_below_however_long_the_ids_are(crew: Crew) -> None:
    # The id of an agent's workflow that grew beyond what a server takes does not begin with the one above it.
    second = boss_of(asking_leave().as_tool(name="third"), batches=[[ask("third")]])
    durable = await crew.serve({"boss": boss_of(second.as_tool(name="second"), batches=[[ask("second")]])})
    run = await durable.start("go", session_id=uuid.uuid4().hex.ljust(888, "x"))
    await run.result()
    [approval] = await run.pending()
    assert not approval.workflow_id.startswith(run.workflow_id)

    assert (await durable.resume(run.id, "approve")).answer == "paid 5"
    await run.stop()


async def test_a_decision_that_is_sent_again_is_the_same_when_all_is_over(crew: Crew) -> None:
    second = boss_of(asking_leave().as_tool(name="third"), batches=[[ask("third")]])
    durable = await crew.serve({"boss": boss_of(second.as_tool(name="second"), batches=[[ask("second")]])})
    run = await durable.start("go")
    await run.result()
    [approval] = await run.pending()
    named = f"{approval.run}/{approval.position}"

    first = await run.decide("approve", id="ticket-31")
    assert (await run.next_result(after=1)).answer == "paid 5"

    assert await run.decide("approve", id="ticket-31") == first
    assert await run.decide("no", named, id="ticket-31") == first
    with pytest.raises(DecisionRefused, match="is over, or was never there"):
        await run.decide("approve", named, id="ticket-32")


async def test_the_result_after_a_decision_below_is_the_next_one(crew: Crew) -> None:
    boss = boss_of(asking_leave().as_tool(name="clerk"), PAY, batches=[[ask("clerk"), ("pay", {"amount": 99})]])
    run = await (await crew.serve({"boss": boss})).start("go")
    assert (await run.result()).interrupt == {"tool": "pay", "arguments": {"amount": 5}}

    # The run itself learns of it when the agent below has gone on.
    await run.decide("approve")
    assert (await run.result()).interrupt == {"tool": "pay", "arguments": {"amount": 99}}
    await run.decide("approve")
    assert (await run.result()).answer == "paid 5 | paid 99"


async def test_who_follows_a_run_after_a_decision_below_reads_on_without_a_gap(crew: Crew) -> None:
    run = await (
        await crew.serve({"boss": boss_of(asking_leave().as_tool(name="clerk"), batches=[[ask("clerk")]])})
    ).start("go")
    paused = [event async for event in run.events()]
    assert paused[-1].type == "interrupt"

    await run.decide("approve")
    rest = [event async for event in run.events(after=paused[-1].id)]

    assert [str(event.type) for event in rest] == ["tool_result", "step_start", "model_call", "model_response", "final"]
    assert [event.id for event in [*paused, *rest]] == [event.id async for event in run.events()]


async def test_a_run_above_two_questions_is_still_paused_when_one_is_answered(crew: Crew) -> None:
    clerk = Agent(Boss([("pay", {"amount": 1}), ("pay", {"amount": 2})]), tools=[PAY])
    run = await (await crew.serve({"boss": boss_of(clerk.as_tool(name="clerk"), batches=[[ask("clerk")]])})).start("go")
    await run.result()
    first, second = await run.pending()

    await run.decide("approve", f"{second.run}/{second.position}")

    assert (await run.result()).interrupted
    assert [each.position for each in await run.pending()] == [first.position]
    await run.decide("approve")
    assert (await run.result()).answer == "paid 1 | paid 2"
