"""Agents on a Worker with workflows of its own."""

import asyncio
import threading
import uuid
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ChildWorkflowError
from temporalio.worker import Worker

from spine_temporal import AgentWorker, DurableAgent, SpinePlugin
from spine_temporal.errors import BadInput
from tests.rooms.worker.own_workflow import Greeting, Invoice, MisledInvoice
from tests.support.agents_at_hand import adding_agent
from tests.support.harness import replay_in_sandbox

pytestmark = pytest.mark.durable


async def test_a_workflow_of_ones_own_runs_an_agent_as_its_child(client: Client) -> None:
    queue = uuid.uuid4().hex
    plugin = SpinePlugin([adding_agent(), adding_agent("clerk")])
    async with Worker(client, task_queue=queue, workflows=[Invoice], plugins=[plugin]):
        answered = await client.execute_workflow("invoice", "1 + 2?", id=f"invoice-{queue}", task_queue=queue)

    assert answered == ["3", "final", "30", f"invoice-{queue}-again"]
    child = await DurableAgent("assistant", client).get_run(f"invoice-{queue}-again").result()
    assert child.answer == "3"
    history = await client.get_workflow_handle(f"invoice-{queue}").fetch_history()
    await replay_in_sandbox(history, [Invoice])


async def test_a_child_whose_agent_is_unknown_fails_its_parent_clearly(client: Client) -> None:
    queue = uuid.uuid4().hex
    plugin = SpinePlugin([adding_agent()])
    async with Worker(client, task_queue=queue, workflows=[MisledInvoice], plugins=[plugin]):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow("misled-invoice", id=queue, task_queue=queue)

    assert isinstance(failed.value.cause, ChildWorkflowError)
    assert "no agent 'asistant'; this worker has: assistant" in str(failed.value.cause.cause)


async def test_agents_of_a_plugin_are_run_by_clients_too(client: Client) -> None:
    queue = uuid.uuid4().hex
    async with Worker(client, task_queue=queue, plugins=[SpinePlugin({"clerk": adding_agent})]):
        result = await DurableAgent("clerk", client, task_queue=queue).run("1 + 2?")

    assert result.answer == "3"


async def test_all_agents_of_a_worker_are_given_to_one_plugin(client: Client) -> None:
    plugins = [SpinePlugin([adding_agent()]), SpinePlugin([adding_agent("clerk")])]

    with pytest.raises(BadInput, match="two plugins for agents, this one with clerk: give all agents to one"):
        Worker(client, task_queue=uuid.uuid4().hex, plugins=plugins)


async def test_a_worker_works_once(client: Client) -> None:
    worker = AgentWorker(client, agents=[adding_agent()], task_queue=uuid.uuid4().hex)
    async with worker:
        for again in (worker.run, worker.__aenter__):
            with pytest.raises(RuntimeError, match="started before, and works once: make another AgentWorker"):
                await again()
        assert (await DurableAgent("assistant", client, task_queue=worker.task_queue).run("1 + 2?")).answer == "3"

    with pytest.raises(RuntimeError, match="started before"):
        await worker.run()


async def test_no_more_threads_run_workflows_than_workflow_tasks_run_at_once(client: Client) -> None:
    queue, before = uuid.uuid4().hex, _threads_of_workflows()
    options: dict[str, Any] = {"max_concurrent_workflow_tasks": 2, "workflows": [Greeting]}
    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue, **options):
        ids = [f"{queue}-{number}" for number in range(50)]
        await asyncio.gather(*(client.execute_workflow("greeting", id=id_, task_queue=queue) for id_ in ids))
        at_work = _threads_of_workflows() - before

    assert 1 <= len(at_work) <= 2
    async with asyncio.timeout(30):
        while any(thread.is_alive() for thread in at_work):
            await asyncio.sleep(0.01)


def _threads_of_workflows() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("temporal_workflow_")}
