"""Waiting holds no activity slot."""

import asyncio
import uuid

import pytest
from spine_core import Agent, tool
from temporalio.client import Client

from spine_temporal import AgentWorker, ContinuePolicy, DurableAgent
from tests.features.teams.crews import Boss, Finds, ask, asking_leave, boss_of

pytestmark = pytest.mark.durable

SLOTS = 2


async def test_as_many_tools_as_slots_may_wait_for_runs_on_their_own_worker(client: Client) -> None:
    queue = f"slots-{uuid.uuid4().hex}"

    @tool
    async def find(what: str) -> str:
        """Ask another agent."""
        return str((await DurableAgent("finder", client, task_queue=queue).run(what)).answer)

    agents = {"finder": Agent(Finds()), "asker": Agent(Boss([("find", {"what": "otters"})]), tools=[find])}
    async with AgentWorker(client, agents=agents, task_queue=queue, max_concurrent_activities=SLOTS):
        asker = DurableAgent("asker", client, task_queue=queue)
        results = await asyncio.gather(*(asker.run("go") for _ in range(SLOTS + 1)))

    assert [result.answer for result in results] == ["found otters"] * (SLOTS + 1)


async def test_a_sync_tool_that_waits_for_a_run_holds_no_slot_either(client: Client) -> None:
    queue = f"slots-{uuid.uuid4().hex}"

    @tool
    def find(what: str) -> str:
        """Ask another agent."""
        return str(DurableAgent("finder", client, task_queue=queue).run_sync(what).answer)

    agents = {"finder": Agent(Finds()), "asker": Agent(Boss([("find", {"what": "otters"})]), tools=[find])}
    async with AgentWorker(client, agents=agents, task_queue=queue, max_concurrent_activities=1):
        result = await DurableAgent("asker", client, task_queue=queue).run("go")

    assert result.answer == "found otters"


async def test_runs_whose_agents_below_are_paused_leave_all_slots_to_others(client: Client) -> None:
    queue = f"slots-{uuid.uuid4().hex}"
    boss = boss_of(asking_leave().as_tool(name="clerk"), batches=[[ask("clerk")]])
    agents = {"boss": boss, "finder": Agent(Finds())}
    worker = AgentWorker(
        client,
        agents=agents,
        task_queue=queue,
        continue_policy=ContinuePolicy(events=1),
        max_concurrent_activities=SLOTS,
    )
    async with worker:
        bosses = [await DurableAgent("boss", client, task_queue=queue).start("go") for _ in range(SLOTS)]
        assert all([(await run.result()).interrupted for run in bosses])

        found = await DurableAgent("finder", client, task_queue=queue).run("otters")
        ended = [await DurableAgent("boss", client, task_queue=queue).resume(run.id, "approve") for run in bosses]

    assert found.answer == "found otters"
    assert [result.answer for result in ended] == ["paid 5"] * SLOTS
