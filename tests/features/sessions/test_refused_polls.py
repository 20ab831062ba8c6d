"""Who waits leaves a server alone that refuses a long poll, or answers it at once with nothing."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from spine_core import Result
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from spine_temporal import DurableAgent, Run
from spine_temporal.client import pacing, pollers
from spine_temporal.history import follow
from tests.features.sessions.talk import new_session, parrot
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, Served
from tests.support.proxy.grpc_proxy import Call, GrpcProxy
from tests.support.waiting import until

pytestmark = pytest.mark.durable

ROUND_TRIPS = 30
CLOSE = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
HISTORY = "GetWorkflowExecutionHistory"


class Door:
    """Refuses the long polls for a run's end, or answers them with nothing."""

    def __init__(self) -> None:
        self.status: grpc.StatusCode | None = None
        self.polls = 0

    async def __call__(self, call: Call) -> bytes:
        if call.method != HISTORY:
            return await call.forward()
        if GetWorkflowExecutionHistoryRequest.FromString(call.request).history_event_filter_type != CLOSE:
            return await call.forward()
        self.polls += 1
        return b"" if self.status is None else await call.refuse("no", self.status)


@pytest.fixture
def door() -> Door:
    return Door()


@pytest_asyncio.fixture
async def proxy(client: Client, door: Door) -> AsyncIterator[GrpcProxy]:
    async with GrpcProxy(client.service_client.config.target_host, door) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def far(proxy: GrpcProxy) -> Client:
    """A client whose requests pass the door."""
    return await Client.connect(proxy.address, data_converter=pydantic_data_converter)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next look is due in an hour."""
    for module, name in ((pacing, "_FIRST_S"), (pacing, "_LAST_S"), (follow, "_PAUSE_S"), (pollers, "_LOOK_AFTER_S")):
        monkeypatch.setattr(module, name, 3600.0)


def elsewhere(served: Served, far: Client, run: Run) -> Run:
    return DurableAgent("agent", far, task_queue=served.worker.task_queue).get_run(run.id)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("status", [grpc.StatusCode.PERMISSION_DENIED, None], ids=["refused", "empty"])
async def test_a_poll_that_is_refused_is_sent_again_when_a_look_is_due(
    durable: Durable, far: Client, door: Door, proxy: GrpcProxy, status: grpc.StatusCode | None
) -> None:
    gate, door.status = Gate(), status
    served = durable(parrot(gates={"wait": gate}), client_options={"session_ttl_s": 0})
    run = await served.start("wait", session_id=new_session())
    await gate.begun.wait()
    late = elsewhere(served, far, run)
    waiting = [asyncio.create_task(late.result())]
    await until(lambda: door.polls, "the poll")

    # As many round trips as there would be polls without a pause.
    for _ in range(ROUND_TRIPS):
        await far.service_client.check_health()

    assert (door.polls, proxy.calls["DescribeWorkflowExecution"]) == (1, 1)
    gate.open.set()
    await run.result()
    # Whoever comes has it looked at.
    waiting.append(asyncio.create_task(late.result()))
    assert [result.answer for result in await asyncio.gather(*waiting)] == ["heard wait"] * 2


@pytest.mark.usefixtures("unhurried")
async def test_an_empty_answer_to_who_waits_from_the_beginning_is_no_reason_to_ask_at_once(
    durable: Durable, far: Client, door: Door
) -> None:
    gate = Gate()
    served = durable(parrot(gates={"wait": gate}))
    await served.up()
    there = DurableAgent("agent", far, task_queue=served.worker.task_queue)
    waiting: asyncio.Task[Result] = asyncio.create_task(there.run("wait", session_id=new_session()))
    await gate.begun.wait()
    await until(lambda: door.polls, "the poll")

    for _ in range(ROUND_TRIPS):
        await far.service_client.check_health()

    assert door.polls == 1
    waiting.cancel()
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
