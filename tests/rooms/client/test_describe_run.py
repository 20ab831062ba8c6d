"""One run in full, as a model."""

import json
import uuid

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.client.describe_run import describe_run
from spine_temporal.contracts import names
from spine_temporal.errors import ConversationLost
from tests.support.agents_at_hand import adding_agent
from tests.support.incompatible import Incompatible
from tests.support.waiting import until

pytestmark = pytest.mark.durable


async def until_it_fails(client: Client, id_: str) -> None:
    async def fails() -> bool:
        return (await describe_run(client, id_)).failing_task is not None

    await until(fails, f"a workflow task of {id_} that fails")


async def test_a_run_whose_workflow_task_fails_names_since_when_and_why(client: Client) -> None:
    queue = f"stuck-{uuid.uuid4().hex}"
    run = await DurableAgent("clerk", client, task_queue=queue).start("hi", session_id=queue)
    async with Worker(client, task_queue=queue, workflows=[Incompatible]):
        await until_it_fails(client, run.id)

        described = await describe_run(client, run.id)

    task = described.failing_task
    assert task is not None
    assert (task.cause, task.message) == ("WORKFLOW_WORKER_UNHANDLED_FAILURE", "a version that cannot read this")
    assert described.started < task.since
    assert described.in_flight == ()


async def test_a_run_that_works_again_is_not_called_stuck(client: Client) -> None:
    queue = f"mended-{uuid.uuid4().hex}"
    run = await DurableAgent("adder", client, task_queue=queue).start("1 + 2?", session_id=queue)
    async with Worker(client, task_queue=queue, workflows=[Incompatible]):
        await until_it_fails(client, run.id)
    async with AgentWorker(client, agents={"adder": adding_agent()}, task_queue=queue):
        await run.result()

        described = await describe_run(client, run.id)

    assert (described.failing_task, described.status) == (None, "idle")


async def test_a_description_is_json_as_it_is(client: Client) -> None:
    queue = f"described-{uuid.uuid4().hex}"
    async with AgentWorker(client, agents={"adder": adding_agent()}, task_queue=queue):
        await DurableAgent("adder", client, task_queue=queue).run("1 + 2?", session_id=queue)
        described = await describe_run(client, queue)

    written = json.loads(json.dumps(described.to_json()))
    assert (written["agent"], written["status"], written["reason"], written["turn"]) == ("adder", "idle", "final", 1)
    assert written["in_flight"] == [
        {
            "what": "the session waits for its next turn",
            "state": "waiting",
            "attempt": None,
            "worker": "",
            "since": None,
            "next_attempt": None,
            "last_failure": "",
        }
    ]
    assert written["state"]["messages"][0]["content"] == "1 + 2?"


async def test_a_history_that_nobody_can_read_is_named(client: Client) -> None:
    id_ = f"garbage-{uuid.uuid4().hex}"
    await client.start_workflow(names.AGENT_WORKFLOW, "garbage", id=id_, task_queue="nobody")

    with pytest.raises(ConversationLost, match=f"the history of run '{id_}' cannot be read"):
        await describe_run(client, id_)
