"""What the user said to a session that was closed before a worker had begun it stays in the conversation."""

import asyncio
import uuid

import pytest
from spine_core import Agent, StopReason
from spine_core.testing import ScriptedProvider, text
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.errors import UnknownAgent
from tests.support.counting import counted

pytestmark = pytest.mark.durable


def answering() -> Agent:
    return Agent(ScriptedProvider(*(text(f"answer {n}") for n in range(5))), system="Be brief.", name="assistant")


async def test_in_a_new_session_and_twice_in_one_that_goes_on(client: Client) -> None:
    queue, session = uuid.uuid4().hex, uuid.uuid4().hex
    durable = DurableAgent("assistant", client, task_queue=queue, session_ttl_s=0)
    expected, began = list[str | None](), False
    for said, cancels in [("a", True), ("b", False), ("c", True), ("d", True), ("e", False)]:
        run = await durable.start(said, session_id=session)
        if cancels:
            await run.cancel()
        async with AgentWorker(client, agents=[answering()], task_queue=queue):
            result = await run.result()
        expected.append(said)
        if not cancels:
            # The first worker that begins on it gives the conversation its system prompt.
            expected = [*([] if began else ["Be brief."]), *expected, "answer 0"]
            began = True

        assert result.stopped_reason is (StopReason.CANCELLED if cancels else StopReason.FINAL)
        assert [message.content for message in result.state.messages] == expected
        assert (await run.state()).messages == result.state.messages
        assert (await durable.get_run(session).result()).state == result.state


async def test_but_not_where_the_caller_was_told_that_there_is_no_such_agent(client: Client) -> None:
    queue, session = uuid.uuid4().hex, uuid.uuid4().hex
    async with AgentWorker(client, agents=[answering()], task_queue=queue):
        with pytest.raises(UnknownAgent):
            await DurableAgent("asistant", client, task_queue=queue).run("a", session_id=session)
        result = await DurableAgent("assistant", client, task_queue=queue).run("b", session_id=session)

    assert [message.content for message in result.state.messages] == ["Be brief.", "b", "answer 0"]


async def test_however_many_wait_for_it_the_conversation_is_read_as_for_a_few(client: Client) -> None:
    queue, session = uuid.uuid4().hex, uuid.uuid4().hex
    durable = DurableAgent("assistant", client, task_queue=queue, session_ttl_s=0)
    async with AgentWorker(client, agents=[answering()], task_queue=queue):
        await durable.run("a", session_id=session)

    async def cost(callers: int) -> int:
        run = await durable.start("b", session_id=session)
        waiting = [asyncio.create_task(durable.get_run(session).result()) for _ in range(callers)]
        with counted(client) as requests:
            await run.cancel()
            async with AgentWorker(client, agents=[answering()], task_queue=queue):
                results = await asyncio.gather(*waiting)
        assert all(result == results[0] for result in results)
        return requests["get_workflow_execution_history"]

    few, many = await cost(3), await cost(100)

    assert many < few + 30, f"100 sent {many} requests, 3 sent {few}"
