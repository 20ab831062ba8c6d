"""An attempt that the server has given up, and whose code goes on in the same worker, is waited for, not doubled."""

import ctypes
import threading
import time
import uuid
from typing import Any

import pytest
from spine_core import Agent, ModelResponse, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import ActivityPolicy, AgentWorker, DurableAgent, durable
from tests.support.waiting import until

pytestmark = pytest.mark.durable

QUICK = ActivityPolicy(heartbeat_s=1.0, timeout_s=1.5, retry_first_s=0.1)
LONGER_THAN_A_BEAT_S = 2.5


async def answer_of(client: Client, agent: Agent, policy: ActivityPolicy) -> str | None:
    queue = f"superseded-{uuid.uuid4().hex}"
    async with AgentWorker(client, agents={"agent": agent}, task_queue=queue, tool_policy=policy):
        result = await DurableAgent("agent", client, task_queue=queue).run("go")
    return str(result.state.messages[-2].content)


async def test_a_sync_tool_that_outlasts_its_time_limit_is_begun_once_and_its_result_counts(client: Client) -> None:
    begun: list[float] = []
    attempts = threading.Semaphore(0)

    @tool
    def pay() -> str:
        """Pay."""
        begun.append(time.monotonic())
        attempts.acquire(timeout=60)
        return "paid"

    agent = Agent(ScriptedProvider(calls(("pay", {})), text("done")), tools=[pay])
    queue = f"superseded-{uuid.uuid4().hex}"
    async with AgentWorker(client, agents={"agent": agent}, task_queue=queue, tool_policy=QUICK):
        run = await DurableAgent("agent", client, task_queue=queue).start("go")
        handle = client.get_workflow_handle(run.workflow_id)

        async def is_given_up() -> bool:
            pending = (await handle.describe()).raw_description.pending_activities
            return any(each.attempt > 1 for each in pending)

        await until(is_given_up, "a second attempt")
        attempts.release()
        result = await run.result()

    assert str(result.state.messages[-2].content) == "paid"
    assert len(begun) == 1


async def test_an_attempt_that_failed_too_late_leaves_the_next_one_to_try_again(client: Client) -> None:
    asked: list[float] = []

    def fail_late() -> None:
        time.sleep(LONGER_THAN_A_BEAT_S)
        raise ConnectionError("nobody there")

    class Late(ScriptedProvider):
        async def complete(self, *args: Any, **options: Any) -> ModelResponse:
            asked.append(time.monotonic())
            if len(asked) == 1:
                fail_late()
            return await super().complete(*args, **options)

    # The second attempt begins while the loop is held, and has to have time left when it is let go.
    policy = ActivityPolicy(heartbeat_s=1.0, timeout_s=2.0, retry_first_s=0.1)
    queue = f"superseded-{uuid.uuid4().hex}"
    async with AgentWorker(client, agents={"agent": Agent(Late(text("done")))}, task_queue=queue, step_policy=policy):
        result = await DurableAgent("agent", client, task_queue=queue).run("go")

    assert (result.answer, len(asked)) == ("done", 2)


async def test_a_tool_that_keeps_the_interpreter_is_begun_once_on_its_worker(client: Client) -> None:
    begun: list[float] = []

    @tool
    def crunch() -> str:
        """Crunch."""
        begun.append(time.monotonic())
        ctypes.PyDLL(None).usleep(int(LONGER_THAN_A_BEAT_S * 1e6))
        return "crunched"

    agent = Agent(ScriptedProvider(calls(("crunch", {})), text("done")), tools=[crunch])

    assert await answer_of(client, agent, ActivityPolicy(heartbeat_s=1.0, retry_first_s=0.1)) == "crunched"
    assert len(begun) == 1


async def test_a_tool_that_says_how_long_it_keeps_the_interpreter_has_one_attempt(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    @tool
    @durable(heartbeat_s=60)
    def crunch() -> str:
        """Crunch."""
        ctypes.PyDLL(None).usleep(int(LONGER_THAN_A_BEAT_S * 1e6))
        return "crunched"

    agent = Agent(ScriptedProvider(calls(("crunch", {})), text("done")), tools=[crunch])

    assert await answer_of(client, agent, ActivityPolicy(heartbeat_s=1.0)) == "crunched"
    assert "waits for what attempt" not in caplog.text
