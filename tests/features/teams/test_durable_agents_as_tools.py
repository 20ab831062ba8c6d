"""A durable agent as a tool: of an agent on the plain kernel, of a durable one."""

import uuid
from typing import Any

import pytest
from spine_core import Agent, State
from temporalio.client import Client
from temporalio.worker import Worker

from spine_temporal import DurableAgent, SpinePlugin
from spine_temporal.errors import RunNotFound
from tests.features.teams.crews import PAY, Boss, ask, asking_leave, boss_of, finder, tokens
from tests.features.teams.own_workflow import Errand
from tests.features.teams.serving import Crew, children_of
from tests.support.subagents import run_below, workflow_below
from tests.support.waiting import until

pytestmark = pytest.mark.durable


async def test_an_agent_on_the_plain_kernel_delegates_to_a_durable_one(crew: Crew) -> None:
    durable = await crew.serve({"finder": finder()}, "finder")
    boss = boss_of(durable.as_tool(), batches=[[ask("finder"), ask("finder", "seals")]])

    result = await boss.run("go")

    assert result.answer == "found otters | found seals"
    assert len(crew.runs) == 2
    assert boss.tools["finder"].schema == finder("finder").as_tool().schema


async def test_a_durable_agent_delegates_to_the_workers_of_another(crew: Crew) -> None:
    there = await crew.serve({"finder": boss_of(finder().as_tool(name="find"), batches=[[ask("find")]])}, "finder")
    boss = boss_of(there.as_tool(name="search"), batches=[[ask("search")]])
    run = await (await crew.serve({"boss": boss})).start("go")

    result = await run.result()

    assert result.answer == "found otters"
    assert result.usage == tokens(5)
    child, grandchild = (
        await workflow_below(crew.client, run.workflow_id, "1.0"),
        await workflow_below(crew.client, run.workflow_id, "1.0", "1.0"),
    )
    assert await children_of(crew.client, run.workflow_id) == [child]
    for workflow_id in (child, grandchild):
        assert (await crew.client.get_workflow_handle(workflow_id).describe()).task_queue == there.task_queue


async def test_a_question_of_a_durable_agent_elsewhere_shows_on_the_run_above(crew: Crew) -> None:
    there = await crew.serve({"clerk": asking_leave()}, "clerk")
    here = await crew.serve({"boss": boss_of(there.as_tool(), batches=[[ask("clerk")]])})
    paused = await here.run("go")

    assert [approval.agent for approval in await here.get_run(str(paused.resume_token)).pending()] == ["clerk"]
    assert (await here.resume(str(paused.resume_token))).answer == "paid 5"


@pytest.mark.parametrize("max_depth", [0, 1])
async def test_a_durable_agent_that_is_a_tool_may_stand_only_so_deep(crew: Crew, max_depth: int) -> None:
    there = await crew.serve({"finder": finder()}, "finder")
    boss = boss_of(there.as_tool(max_depth=max_depth), batches=[[ask("finder")]])

    durably = await (await crew.serve({"boss": boss})).run("go")

    assert durably.answer == ("found otters" if max_depth else "Error: max delegation depth (0) exceeded")
    assert durably.answer == (await boss.run("go")).answer


async def test_an_agent_that_no_worker_there_knows_is_an_error_for_the_model(crew: Crew) -> None:
    there = (await crew.serve({"finder": finder()}, "finder")).other("nobody")
    boss = boss_of(there.as_tool(), batches=[[ask("nobody")]])

    result = await (await crew.serve({"boss": boss})).run("go")

    assert result.answer == "Error executing tool 'nobody': no agent 'nobody'; this worker has: finder"


async def test_a_workflow_of_ones_own_runs_an_agent_that_delegates_and_pauses(client: Client) -> None:
    queue = uuid.uuid4().hex
    clerk = asking_leave()
    boss = Agent(Boss([ask("clerk", "a")], [("pay", {"amount": 7})]), tools=[clerk.as_tool(name="clerk"), PAY])
    async with Worker(client, task_queue=queue, workflows=[Errand], plugins=[SpinePlugin({"boss": boss})]):
        handle = await client.start_workflow("errand", queue, id=f"errand-{queue}", task_queue=queue)
        durable = DurableAgent("boss", client, task_queue=queue)

        async def begun() -> State | None:
            try:
                return await durable.get_run(queue).state()
            except RunNotFound:
                return None

        await until(begun, "the agent's run")
        asked: list[Any] = []
        result = await durable.get_run(queue).result()
        while result.interrupted:
            asked += [approval.run for approval in await durable.get_run(queue).pending()]
            result = await durable.resume(queue)

        assert asked == [await run_below(client, durable.get_run(queue), "1.0"), queue]
        assert await handle.result() == ["paid 5 | paid 7", "final", str(tokens(5).total_tokens)]
