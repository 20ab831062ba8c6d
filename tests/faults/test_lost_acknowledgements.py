"""What a client asked for and the server did is done once, also when the reply was lost and the client asks again."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from spine_core import StopReason
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from spine_temporal import AgentWorker, DurableAgent, Run
from tests.faults.agents import Effects, counting_agent, paying_agent
from tests.faults.figures import AS_ITS_TEST, PROPERTY, Fault
from tests.support.harness import histories_of
from tests.support.proxy.grpc_proxy import Call, GrpcProxy
from tests.support.soak import IS_SOAK
from tests.support.waiting import until

pytestmark = pytest.mark.durable


@pytest.fixture(autouse=True)
def counted(record_property: Callable[[str, object], None]) -> None:
    record_property(PROPERTY, Fault("acknowledgement to a client lost", AS_ITS_TEST).as_text())


class Losing:
    """Loses the first replies to a method, after the server has done what was asked."""

    def __init__(self) -> None:
        self.method = ""
        self.lost = 0
        self._times = 0

    def lose(self, method: str, times: int) -> None:
        self.method, self._times = method, times

    async def __call__(self, call: Call) -> bytes:
        reply = await call.forward()
        if call.method == self.method and self.lost < self._times:
            self.lost += 1
            return await call.refuse("the reply is lost")
        return reply


@pytest.fixture
def losing() -> Losing:
    return Losing()


@pytest_asyncio.fixture
async def far_client(client: Client, losing: Losing) -> AsyncIterator[Client]:
    async with GrpcProxy(client.service_client.config.target_host, losing) as proxy:
        yield await Client.connect(proxy.address, data_converter=pydantic_data_converter)


@pytest_asyncio.fixture
async def queue(client: Client, tmp_path: Path) -> AsyncIterator[str]:
    """Where a worker is that loses nothing."""
    name = f"lost-{uuid.uuid4().hex}"
    async with AgentWorker(client, agents=[counting_agent(tmp_path), paying_agent(tmp_path)], task_queue=name):
        yield name


async def events(client: Client, run: Run) -> Counter[int]:
    histories = await histories_of(client, run)
    return Counter(event.event_type for history in histories for event in history.events)


TIMES = pytest.mark.parametrize("times", [1, 3] if IS_SOAK else [3])


@TIMES
@pytest.mark.parametrize("session", [None, "named"])
async def test_a_start_is_one_run(
    client: Client, far_client: Client, losing: Losing, queue: str, tmp_path: Path, times: int, session: str | None
) -> None:
    named = session and uuid.uuid4().hex
    losing.lose("StartWorkflowExecution", times)
    agent = DurableAgent("counter", far_client, task_queue=queue, session_ttl_s=0)

    result = await agent.run("count", session_id=named)

    assert losing.lost == times
    assert result.answer == "otter 0, otter 1, otter 2"
    assert [message.content for message in result.state.messages if message.role == "user"] == ["count"]
    assert Effects(tmp_path).count("started model-0") == 1


@TIMES
async def test_a_turn_is_one_turn(
    client: Client, far_client: Client, losing: Losing, queue: str, tmp_path: Path, times: int
) -> None:
    agent, session = DurableAgent("counter", far_client, task_queue=queue), uuid.uuid4().hex
    await agent.run("first", session_id=session)
    losing.lose("UpdateWorkflowExecution", times)

    result = await agent.run("second", session_id=session)

    assert losing.lost == times
    assert [message.content for message in result.state.messages if message.role == "user"] == ["first", "second"]
    assert (await events(client, agent.get_run(session)))[EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED] == 1


@TIMES
async def test_a_decision_is_one_decision(
    client: Client, far_client: Client, losing: Losing, queue: str, tmp_path: Path, times: int
) -> None:
    agent = DurableAgent("payer", far_client, task_queue=queue)
    paused = await agent.run("pay")
    losing.lose("UpdateWorkflowExecution", times)

    result = await agent.resume(str(paused.resume_token), "yes")

    assert losing.lost == times
    assert result.answer == "paid 5"
    assert Effects(tmp_path).count("started pay") == 1
    assert (await events(client, agent.get_run(str(paused.resume_token))))[
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    ] == 1


@TIMES
@pytest.mark.parametrize("known_turn", [True, False], ids=["of a turn", "of whatever runs"])
async def test_a_stop_is_one_stop(
    client: Client, far_client: Client, losing: Losing, queue: str, tmp_path: Path, times: int, known_turn: bool
) -> None:
    agent, session, effects = DurableAgent("counter", far_client, task_queue=queue), uuid.uuid4().hex, Effects(tmp_path)
    effects.hold("tool-0")
    run = await agent.start("count", session_id=session)
    await until(lambda: effects.count("started tool-0") == 1, "the tool at work")
    waiting = asyncio.create_task(run.result())
    losing.lose("SignalWorkflowExecution", times)

    await (run if known_turn else agent.get_run(session)).stop()
    effects.release("tool-0")

    assert losing.lost == times
    assert (await waiting).stopped_reason is StopReason.CANCELLED
    assert (await events(client, run))[EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED] == 1
