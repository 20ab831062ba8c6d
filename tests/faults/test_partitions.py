"""A network that parts worker and server, or client and server, delays a run and changes nothing of it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter

from spine_temporal import DurableAgent, Run
from tests.faults.agents import ROUNDS
from tests.faults.counting import assert_as_undisturbed
from tests.faults.figures import AS_ITS_TEST, PROPERTY, Fault
from tests.support.processes import Fleet
from tests.support.proxy.tcp_proxy import Partition, TcpProxy
from tests.support.soak import IS_SOAK
from tests.support.waiting import until

pytestmark = pytest.mark.durable


@pytest.fixture(autouse=True)
def counted(record_property: Callable[[str, object], None]) -> None:
    record_property(PROPERTY, Fault("partition", AS_ITS_TEST).as_text())


PARTED: list[Partition] = ["refused", "half-open", "stalled"]


@pytest_asyncio.fixture
async def network(client: Client) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(client.service_client.config.target_host) as proxy:
        yield proxy


@pytest.fixture
def far_fleet(network: TcpProxy, tmp_path: Path) -> Iterator[Fleet]:
    """Its workers reach the server through the network."""
    with Fleet(network.address, f"parted-{uuid.uuid4().hex}", tmp_path) as fleet:
        yield fleet


@pytest.fixture
def fleet(client: Client, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(client.service_client.config.target_host, f"parted-{uuid.uuid4().hex}", tmp_path) as fleet:
        yield fleet


@pytest_asyncio.fixture
async def far_client(network: TcpProxy) -> Client:
    return await Client.connect(network.address, data_converter=pydantic_data_converter)


async def is_given_up(client: Client, run: Run) -> bool:
    """Whether the server waits for another attempt."""
    described = await client.get_workflow_handle(run.workflow_id).describe()
    return any(each.attempt > 1 for each in described.raw_description.pending_activities)


async def is_over(client: Client, run: Run) -> bool:
    described = await client.get_workflow_handle(run.workflow_id).describe()
    return described.status is WorkflowExecutionStatus.COMPLETED


@pytest.mark.soak
@pytest.mark.parametrize(
    ("partition", "point"),
    [
        (partition, point)
        for at, partition in enumerate(PARTED)
        for point in ("tool-1", "model-1")
        if IS_SOAK or (point == "tool-1") == (at % 2 == 0)
    ],
)
async def test_a_worker_that_is_parted_until_it_is_given_up_takes_its_work_up_again(
    client: Client, far_fleet: Fleet, network: TcpProxy, tmp_path: Path, partition: Partition, point: str
) -> None:
    run = await DurableAgent("counter", client, task_queue=far_fleet.task_queue).start("count")
    far_fleet.effects.hold(point)
    far_fleet.start()
    await until(lambda: far_fleet.effects.count(f"started {point}") > 0, f"the worker at {point}")

    network.part(partition)
    await until(lambda: is_given_up(client, run), "a server that takes the worker for dead")
    far_fleet.effects.release(point)
    await until(lambda: far_fleet.effects.count(f"finished {point}") > 0, f"the end of {point}")
    network.heal()

    await assert_as_undisturbed(client, run, await run.result(), far_fleet.effects, tmp_path)
    assert far_fleet.effects.count(f"started {point}") <= 2


@pytest.mark.soak
async def test_another_worker_goes_on_while_the_first_is_parted_and_what_that_one_says_later_does_not_count(
    client: Client, far_fleet: Fleet, network: TcpProxy, tmp_path: Path
) -> None:
    run = await DurableAgent("counter", client, task_queue=far_fleet.task_queue).start("count")
    far_fleet.effects.hold("tool-1")
    far_fleet.start()
    await until(lambda: far_fleet.effects.count("started tool-1") == 1, "the worker at its tool")

    network.part("stalled")
    with Fleet(client.service_client.config.target_host, far_fleet.task_queue, tmp_path) as fleet:
        fleet.start()
        await until(lambda: far_fleet.effects.count("started tool-1") == 2, "the other worker at the same call")
        network.heal()
        far_fleet.effects.release("tool-1")
        result = await run.result()

    await assert_as_undisturbed(client, run, result, far_fleet.effects, tmp_path)


@pytest.mark.soak
async def test_a_slow_network_does_not_make_a_worker_look_dead(
    client: Client, far_fleet: Fleet, network: TcpProxy, tmp_path: Path
) -> None:
    network.part("slow", latency_s=0.15)
    run = await DurableAgent("counter", client, task_queue=far_fleet.task_queue).start("count")
    far_fleet.start()

    await assert_as_undisturbed(client, run, await run.result(), far_fleet.effects, tmp_path)
    assert [far_fleet.effects.count(f"started tool-{n}") for n in range(ROUNDS)] == [1] * ROUNDS


@pytest.mark.parametrize("partition", PARTED)
async def test_a_client_that_is_parted_while_it_waits_has_the_result_after_that(
    client: Client, far_client: Client, fleet: Fleet, network: TcpProxy, tmp_path: Path, partition: Partition
) -> None:
    run = await DurableAgent("counter", far_client, task_queue=fleet.task_queue).start("count")
    fleet.effects.hold("tool-1")
    fleet.start()
    waiting, following = asyncio.create_task(run.result()), asyncio.create_task(_events(run))
    await until(lambda: fleet.effects.count("started tool-1") == 1, "the worker at its tool")

    network.part(partition)
    fleet.effects.release("tool-1")
    await until(lambda: is_over(client, run), "the end of the run")
    network.heal()

    result = await waiting
    await assert_as_undisturbed(client, run, result, fleet.effects, tmp_path)
    assert await following == [(event.type, event.step, event.data) for event in result.trace]


@pytest.mark.parametrize("partition", PARTED)
async def test_a_run_that_a_parted_client_starts_begins_once_the_server_is_there(
    client: Client, far_client: Client, fleet: Fleet, network: TcpProxy, tmp_path: Path, partition: Partition
) -> None:
    fleet.start()
    session, asked = uuid.uuid4().hex, network.connections
    network.part(partition)
    starting = asyncio.create_task(
        DurableAgent("counter", far_client, task_queue=fleet.task_queue, session_ttl_s=0).start(
            "count", session_id=session
        )
    )
    if partition == "refused":
        await until(lambda: network.connections > asked, "a refused connection")
    network.heal()

    run = await starting
    await assert_as_undisturbed(client, run, await run.result(), fleet.effects, tmp_path)
    assert [fleet.effects.count(f"started tool-{n}") for n in range(ROUNDS)] == [1] * ROUNDS


async def _events(run: Run) -> list[tuple[str, int, object]]:
    return [(event.type, event.step, event.data) async for event in run.events()]
