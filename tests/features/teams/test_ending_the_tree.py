"""What ends a run ends the agents that work for it."""

import pytest
from spine_core import Agent, StopReason, tool
from temporalio.client import Client, WorkflowExecutionStatus

from spine_temporal.activities import registered
from spine_temporal.activities.subagent import look_at_subagent
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.contracts.subagent import SubagentLook, SubagentReport
from tests.features.teams.crews import Boss, Raises, ask, boss_of, finder, waiting
from tests.features.teams.serving import Crew, is_over, until_told_to_stop
from tests.support.agents_at_hand import Gate
from tests.support.subagents import run_below, workflow_below

pytestmark = pytest.mark.durable


def deep(gate: Gate) -> Agent:
    """Delegates to one that delegates to one that waits, again and again."""
    second = boss_of(waiting(gate, batches=9).as_tool(name="third"), batches=[[ask("third")]])
    return boss_of(second.as_tool(name="second"), batches=[[ask("second")], [ask("second")]])


async def test_stopping_a_run_stops_all_that_work_for_it_at_their_next_step(crew: Crew) -> None:
    gate = Gate()
    durable = await crew.serve({"boss": deep(gate)})
    run = await durable.start("go")
    await gate.begun.wait()

    await run.stop()
    # They are told one after the other; the deepest is within its tool until then.
    below = [
        await workflow_below(crew.client, run.workflow_id, "1.0"),
        await workflow_below(crew.client, run.workflow_id, "1.0", "1.0"),
    ]
    await until_told_to_stop(crew.client, below[1])
    gate.open.set()

    assert (await run.result()).stopped_reason is StopReason.CANCELLED
    for workflow_id in below:
        assert await is_over(crew.client, workflow_id) == WorkflowExecutionStatus.COMPLETED
    assert (
        await durable.get_run(await run_below(crew.client, run, "1.0")).result()
    ).stopped_reason is StopReason.CANCELLED
    assert (await run.state()).messages[-1].content == "[sub-agent stopped: cancelled]"


async def test_a_run_that_is_stopped_while_it_delegates_stops_the_agent_before_its_first_step(crew: Crew) -> None:
    gate = Gate()

    class Holds:
        async def before_tool(self, ctx: object) -> None:
            await gate.pass_through()

    boss = boss_of(waiting(Gate()).as_tool(name="wait"), batches=[[ask("wait")]], middleware=[Holds()])
    durable = await crew.serve({"boss": boss})
    run = await durable.start("go")
    await gate.begun.wait()

    await run.stop()
    gate.open.set()

    assert (await run.result()).stopped_reason is StopReason.CANCELLED
    assert (await durable.get_run(await run_below(crew.client, run, "1.0")).state()).step == 0


async def test_cancelling_a_run_cancels_all_that_work_for_it(crew: Crew) -> None:
    gate = Gate()
    run = await (await crew.serve({"boss": deep(gate)})).start("go")
    await gate.begun.wait()

    await run.cancel()

    assert (await run.result()).stopped_reason is StopReason.CANCELLED
    for below in (
        await workflow_below(crew.client, run.workflow_id, "1.0"),
        await workflow_below(crew.client, run.workflow_id, "1.0", "1.0"),
    ):
        assert await is_over(crew.client, below) == WorkflowExecutionStatus.CANCELED


async def test_cancelling_a_run_cancels_those_that_work_side_by_side(crew: Crew) -> None:
    gate = Gate()
    wait = waiting(gate).as_tool(name="wait")
    boss = boss_of(wait, batches=[[ask("wait"), ask("wait")]], parallel_tools=True)
    run = await (await crew.serve({"boss": boss})).start("go")
    await gate.begun.wait()

    await run.cancel()

    assert (await run.result()).stopped_reason is StopReason.CANCELLED
    assert (
        await is_over(crew.client, await workflow_below(crew.client, run.workflow_id, "1.0"))
        == WorkflowExecutionStatus.CANCELED
    )


async def test_cancelling_a_run_that_has_just_looked_after_its_agent_cancels_that_one_first(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, look = Gate(), Gate()

    async def slow_look(client: Client, at: SubagentLook) -> SubagentReport:
        await look.pass_through()
        return await look_at_subagent(client, at)

    monkeypatch.setattr(registered, "look_at_subagent", slow_look)
    boss = boss_of(waiting(gate).as_tool(name="wait"), batches=[[ask("wait")]])
    run = await (await crew.serve({"boss": boss}, continue_policy=ContinuePolicy(events=1))).start("go")
    await gate.begun.wait()
    await look.begun.wait()

    await run.cancel()
    below = await workflow_below(crew.client, run.workflow_id, "1.0")
    assert await is_over(crew.client, below) == WorkflowExecutionStatus.CANCELED
    look.open.set()

    result = await run.result()
    assert result.stopped_reason is StopReason.CANCELLED
    assert await run.state() == result.state


async def test_a_run_that_is_terminated_leaves_those_that_work_for_it_to_finish(crew: Crew) -> None:
    gate = Gate()
    durable = await crew.serve({"boss": boss_of(waiting(gate).as_tool(name="wait"), batches=[[ask("wait")]])})
    run = await durable.start("go")
    await gate.begun.wait()

    await crew.client.get_workflow_handle(run.workflow_id).terminate(reason="no more")
    gate.open.set()

    result = await run.result()
    assert (result.stopped_reason, result.error) == (StopReason.ERROR, "the run was terminated: no more")
    assert (await durable.get_run(await run_below(crew.client, run, "1.0")).result()).answer == "let through"


async def test_a_model_is_told_that_its_agent_was_terminated(crew: Crew) -> None:
    gate = Gate()
    boss = boss_of(waiting(gate).as_tool(name="wait"), finder().as_tool(name="find"), batches=[[ask("wait")]])
    run = await (await crew.serve({"boss": boss})).start("go")
    await gate.begun.wait()

    await crew.client.get_workflow_handle(await workflow_below(crew.client, run.workflow_id, "1.0")).terminate(
        reason="no more"
    )

    result = await run.result()
    assert result.stopped_reason is StopReason.FINAL
    assert str(result.answer).startswith("Error executing tool 'wait': ")
    assert "erminated" in str(result.answer)


async def test_a_model_is_told_that_its_agent_was_cancelled(crew: Crew) -> None:
    gate = Gate()
    durable = await crew.serve({"boss": boss_of(waiting(gate).as_tool(name="wait"), batches=[[ask("wait")]])})
    run = await durable.start("go")
    await gate.begun.wait()

    await durable.get_run(await run_below(crew.client, run, "1.0")).cancel()

    assert (await run.result()).answer == "[sub-agent stopped: cancelled]"


async def test_a_model_is_told_that_its_agent_stopped_in_an_error(crew: Crew) -> None:
    boss = boss_of(Agent(Raises()).as_tool(name="find"), batches=[[ask("find")]])

    assert (await (await crew.serve({"boss": boss})).run("go")).answer == "[sub-agent stopped: error]"


async def test_an_agent_that_is_stopped_by_itself_answers_with_what_it_said_last(crew: Crew) -> None:
    gate = Gate()

    @tool
    async def hold() -> str:
        """Wait."""
        await gate.pass_through()
        return "let through"

    worker = Agent(Boss([("hold", {})], [("hold", {})]), tools=[hold])
    durable = await crew.serve({"boss": boss_of(worker.as_tool(name="wait"), batches=[[ask("wait")]])})
    run = await durable.start("go")
    await gate.begun.wait()

    await durable.get_run(await run_below(crew.client, run, "1.0")).stop()
    gate.open.set()

    assert (await run.result()).answer == "[sub-agent stopped: cancelled]"
