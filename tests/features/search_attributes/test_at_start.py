"""A run has its search attributes from its start, before any worker has begun it."""

import time
import uuid
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.common import Priority
from temporalio.service import RPCError

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.client import begin_run
from spine_temporal.connection.search_attributes import create_missing
from spine_temporal.errors import UnknownAgent
from spine_temporal.testing import dev_server
from tests.features.search_attributes.serving import attributes_of, payer, priced, unpriced, upserts_in
from tests.support.harness import replay

pytestmark = pytest.mark.durable


def agent_of(client: Client, name: str, task_queue: str, **options: Any) -> DurableAgent:
    return DurableAgent(name, client, task_queue=task_queue, **options)


async def test_a_run_that_no_worker_has_begun_is_found_by_all_that_is_known_of_it(indexed: Client) -> None:
    session, long_name = uuid.uuid4().hex, "agent " * 100
    run = await agent_of(indexed, long_name, uuid.uuid4().hex, tenant_id="acme").start("go", session_id=session)

    found = await attributes_of(indexed, run.workflow_id, SpineStatus="running")

    assert found.pop("SpineAgent").startswith("agent agent")
    assert found == {
        "SpineStatus": "running",
        "SpineSession": session,
        "SpineTenant": "acme",
        "SpineStep": 0,
        "SpineTokens": 0,
    }
    await indexed.get_workflow_handle(run.workflow_id).terminate()


async def test_it_need_not_set_them_once_more(indexed: Client) -> None:
    queue = uuid.uuid4().hex
    async with AgentWorker(indexed, agents=[unpriced()], task_queue=queue):
        run = await agent_of(indexed, "unpriced", queue, tenant_id="acme").start("go")
        await run.result()

        found = await attributes_of(indexed, run.workflow_id, SpineStatus="completed")

    history = await indexed.get_workflow_handle(run.workflow_id).fetch_history()
    assert upserts_in(history) == 1
    assert (found["SpineTenant"], found["SpineTokens"], found["SpineStopReason"]) == ("acme", 15, "final")
    await replay(history)


async def test_what_the_worker_knows_better_it_sets_alone(indexed: Client) -> None:
    queue = uuid.uuid4().hex
    async with AgentWorker(indexed, agents=[payer()], task_queue=queue):
        run = await agent_of(indexed, "payer", queue).start("pay")
        await run.result()

    history = await indexed.get_workflow_handle(run.workflow_id).fetch_history()
    (first, *_) = [
        event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        for event in history.events
        if event.HasField("upsert_workflow_search_attributes_event_attributes")
    ]
    assert first.keys() == {"SpineStatus", "SpineStopReason", "SpineStep", "SpineTokens", "SpineCostUsd"}
    await run.cancel()


async def test_a_run_that_cannot_begin_does_not_stay_running(indexed: Client) -> None:
    queue = uuid.uuid4().hex
    async with AgentWorker(indexed, agents=[unpriced()], task_queue=queue):
        run = await agent_of(indexed, "unprized", queue).start("go")
        with pytest.raises(UnknownAgent):
            await run.result()

        assert await attributes_of(indexed, run.workflow_id, SpineStatus="failed")


async def test_a_worker_that_sets_none_takes_them_away(indexed: Client) -> None:
    queue = uuid.uuid4().hex
    async with AgentWorker(indexed, agents=[priced()], task_queue=queue, search_attributes=False):
        run = await agent_of(indexed, "priced", queue, tenant_id="acme").start("go")
        await run.result()

    history = await indexed.get_workflow_handle(run.workflow_id).fetch_history()
    assert await attributes_of(indexed, run.workflow_id) == {}
    assert upserts_in(history) == 1
    await replay(history)


async def test_a_server_that_has_none_takes_the_run_and_later_the_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dev_server(spine_attributes=False) as server:
        durable = agent_of(server.client, "assistant", "nobody-polls")

        first = await durable.start("go")
        await create_missing(server.client)
        within_the_minute = await durable.start("go")
        now_s = time.monotonic()
        monkeypatch.setattr(begin_run, "now_s", lambda: now_s + 61)
        later = await durable.start("go")

        assert (await attributes_of(server.client, later.workflow_id, SpineStatus="running"))[
            "SpineAgent"
        ] == "assistant"
        assert await attributes_of(server.client, first.workflow_id) == {}
        assert await attributes_of(server.client, within_the_minute.workflow_id) == {}


async def test_what_a_server_refuses_for_another_reason_is_refused() -> None:
    async with dev_server() as server:
        with pytest.raises(RPCError, match="fairness key"):
            await agent_of(server.client, "assistant", "q", priority=Priority(fairness_key="k" * 100)).start("go")
