"""Who waits for a server that refuses a request waits on, and leaves it alone meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import grpc
import pytest
import pytest_asyncio
from spine_core import Result
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from spine_temporal import DurableAgent, Run
from spine_temporal.client import pacing, pollers
from spine_temporal.client.updates import is_answered
from spine_temporal.errors import ServerUnreachable
from spine_temporal.history import follow, patience
from tests.features.sessions.talk import new_session, parrot
from tests.support.agents_at_hand import Gate
from tests.support.harness import Durable, Served
from tests.support.proxy.grpc_proxy import Call, GrpcProxy
from tests.support.waiting import until

pytestmark = pytest.mark.durable

ROUND_TRIPS = 30
READING = ("GetWorkflowExecutionHistory", "DescribeWorkflowExecution")
CLOSE = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT


class Door:
    """Refuses the long polls for a run's end, or answers them with nothing."""

    def __init__(self) -> None:
        self.status: grpc.StatusCode | None = None
        self.polls = 0

    async def __call__(self, call: Call) -> bytes:
        if call.method != READING[0]:
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


PASSING = ("RESOURCE_EXHAUSTED", "INTERNAL", "ABORTED", "DATA_LOSS", "OUT_OF_RANGE", "UNAVAILABLE")


class Refusing:
    """Refuses the first requests of each of the methods."""

    def __init__(self, status: grpc.StatusCode, times: float, methods: Sequence[str] = READING) -> None:
        self._status = status
        self._times = times
        self._methods = methods
        self.refused = Counter[str]()

    async def __call__(self, call: Call) -> bytes:
        if call.method in self._methods and self.refused[call.method] < self._times:
            self.refused[call.method] += 1
            return await call.refuse("not now", self._status)
        return await call.forward()


async def has_result(run: Run) -> bool:
    return (await run.result()).answer == "heard hello"


async def has_events(run: Run) -> bool:
    return [event.type async for event in run.events()][-1] == "final"


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.parametrize("wait", [has_result, has_events])
async def test_who_waits_outlasts_a_server_that_refuses_for_a_moment(
    durable: Durable, far: Client, proxy: GrpcProxy, name: str, wait: Callable[[Run], Awaitable[bool]]
) -> None:
    proxy.meddle = refusing = Refusing(grpc.StatusCode[name], 2)
    served = durable(parrot())
    run = await served.start("hello", session_id=new_session())

    assert await wait(elsewhere(served, far, run))
    assert refusing.refused == dict.fromkeys(READING, 2)


@pytest.mark.parametrize("name", PASSING)
async def test_who_gave_a_run_its_turn_a_moment_ago_outlasts_it_as_well(
    durable: Durable, far: Client, proxy: GrpcProxy, name: str
) -> None:
    proxy.meddle = refusing = Refusing(grpc.StatusCode[name], 2)
    served = durable(parrot())
    await served.up()
    there = DurableAgent("agent", far, task_queue=served.worker.task_queue)

    assert (await there.run("hello", session_id=new_session())).answer == "heard hello"
    assert refusing.refused[READING[0]] == 2


@pytest.mark.parametrize("name", [name for name in PASSING if name != "INTERNAL"])
async def test_who_asks_after_an_update_outlasts_it_as_well(
    durable: Durable, far: Client, proxy: GrpcProxy, name: str
) -> None:
    session, served = new_session(), durable(parrot())
    await served.run("hello", session_id=session)
    second = await served.start("once more", session_id=session)
    proxy.meddle = refusing = Refusing(grpc.StatusCode[name], 2, ("PollWorkflowExecutionUpdate",))

    assert await is_answered(far, second.workflow_id, second.update_id)
    assert refusing.refused.total() == 2


async def test_what_is_refused_for_good_is_raised_as_it_is(durable: Durable, far: Client, proxy: GrpcProxy) -> None:
    served = durable(parrot())
    run = await served.start("hello", session_id=new_session())
    proxy.meddle = Refusing(grpc.StatusCode.PERMISSION_DENIED, float("inf"))

    with pytest.raises(RPCError, match="not now"):
        await elsewhere(served, far, run).result()


async def test_a_server_that_refuses_for_too_long_is_named_with_what_it_says(
    durable: Durable, far: Client, proxy: GrpcProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_PATIENCE_S", 0.0)
    served = durable(parrot())
    run = await served.start("hello", session_id=new_session())
    proxy.meddle = Refusing(grpc.StatusCode.RESOURCE_EXHAUSTED, float("inf"))

    with pytest.raises(
        ServerUnreachable, match=r"is there, but has refused for .* s .*\(RESOURCE_EXHAUSTED: not now\)"
    ):
        await elsewhere(served, far, run).result()
