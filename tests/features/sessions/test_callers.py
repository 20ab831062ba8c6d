"""Callers of a session that no worker serves for a while."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import pytest
from spine_core import Agent
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.client import pollers
from tests.features.approvals.payers import agent_that, has_pending
from tests.features.sessions.talk import parrot, texts
from tests.support.waiting import until

pytestmark = pytest.mark.durable

MORE_THAN_MAY_WAIT = 13


def queue() -> str:
    return f"callers-{uuid.uuid4().hex}"


async def opened(client: Client, agent: Agent, task_queue: str, session: str) -> DurableAgent:
    durable = DurableAgent("agent", client, task_queue=task_queue)
    async with AgentWorker(client, agents={"agent": agent}, task_queue=task_queue):
        await durable.run("hello", session_id=session)
    return durable


async def test_more_turns_than_a_server_lets_wait_are_all_taken_once_when_a_worker_comes(client: Client) -> None:
    task_queue, session = queue(), uuid.uuid4().hex
    durable = await opened(client, parrot(), task_queue, session)
    words = [f"word {number}" for number in range(MORE_THAN_MAY_WAIT)]

    speaking = [asyncio.create_task(durable.run(each, session_id=session)) for each in words]
    async with AgentWorker(client, agents={"agent": parrot()}, task_queue=task_queue):
        results = await asyncio.gather(*speaking)

        state = await durable.get_run(session).state()
        await durable.get_run(session).stop()
    assert [result.answer for result in results] == [f"heard {each}" for each in words]
    assert sorted(text for text in texts(state) if text in words) == sorted(words)


async def test_a_caller_that_is_cancelled_while_it_waits_for_a_worker_is_cancelled(client: Client) -> None:
    session = uuid.uuid4().hex
    durable = await opened(client, parrot(), queue(), session)
    speaking = asyncio.create_task(durable.start("again", session_id=session))
    handle = client.get_workflow_handle(durable.get_run(session).workflow_id)

    async def is_sent() -> bool:
        return (await handle.describe()).raw_description.HasField("pending_workflow_task")

    await until(is_sent, "the turn on its way")
    speaking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await speaking


@pytest.mark.parametrize("waits", ["a second turn", "a decision", "a result"])
async def test_whoever_waits_is_warned_that_nobody_polls(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, waits: str
) -> None:
    monkeypatch.setattr(pollers, "_LOOK_AFTER_S", 0.0)
    task_queue, session = queue(), uuid.uuid4().hex
    durable = await opened(client, agent_that([("pay", {"amount": 5})]), task_queue, session)
    run = durable.get_run(session)
    await until(lambda: has_pending(run, 1), "the question")
    caplog.clear()

    async def no_pollers(*_: object) -> int:
        # A server remembers for minutes who has polled.
        return 0

    monkeypatch.setattr(pollers, "count_pollers", no_pollers)
    monkeypatch.setattr(pollers, "_looked_s", {})
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "a second turn": lambda: durable.start("more", session_id=session),
        "a decision": lambda: run.decide("approve"),
        "a result": lambda: run.next_result(after=1),
    }
    waiting = asyncio.ensure_future(calls[waits]())
    await until(lambda: f"no worker polls task queue '{task_queue}'" in caplog.text, "the warning")

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
