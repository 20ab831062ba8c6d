"""The scale signal of a task queue: what waits for a worker and what workers have in hand, on the real server."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from spine_core import Agent, tool
from spine_core.testing import calls, text
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.client.scale import ScaleSignal, ScaleSource, scale_signal
from tests.deploy.worker_process import WorkerProcess, write_agents
from tests.features.telemetry.metering import Scripted
from tests.support.agents_at_hand import Gate
from tests.support.soak import IS_SOAK
from tests.support.waiting import until

pytestmark = pytest.mark.durable
RUNS = 200 if IS_SOAK else 40

NOTHING = ScaleSignal(value=0, backlog=0, in_hand=0)


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    """One whose workers say every second what they have in hand."""
    return Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))


async def another(client: Client, runtime: Runtime) -> Client:
    return await Client.connect(
        client.service_client.config.target_host, runtime=runtime, data_converter=client.data_converter
    )


@pytest_asyncio.fixture
async def beating(client: Client, runtime: Runtime) -> Client:
    return await another(client, runtime)


@pytest.fixture(params=["scale", 'it\'s a "queue"'], ids=["plain", "with quotes"])
def task_queue(request: pytest.FixtureRequest) -> str:
    return f"{request.param}-{uuid.uuid4().hex}"


@pytest_asyncio.fixture
async def gate() -> AsyncIterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


def waiting_agent(gate: Gate) -> Agent:
    """An agent whose tool waits at the gate."""

    @tool
    async def wait() -> str:
        """Wait."""
        await gate.pass_through()
        return "waited"

    return Agent(Scripted(calls(("wait", {})), text("done")), tools=[wait], name="waiter")


async def becomes(client: Client, task_queue: str, signal: ScaleSignal) -> None:
    async def is_so() -> bool:
        return await scale_signal(client, task_queue) == signal

    await until(is_so, f"a scale signal of {signal!r}")


async def test_queue_that_nobody_knows_has_no_work(client: Client, task_queue: str) -> None:
    assert await scale_signal(client, task_queue) == NOTHING


async def test_runs_without_a_worker_are_backlog(client: Client, task_queue: str) -> None:
    durable = DurableAgent("waiter", client, task_queue=task_queue)

    runs = [await durable.start("go") for _ in range(3)]

    await becomes(client, task_queue, ScaleSignal(value=3, backlog=3, in_hand=0))
    for run in runs:
        await client.get_workflow_handle(run.workflow_id).terminate()


async def test_one_long_tool_with_an_empty_backlog_is_one(beating: Client, task_queue: str, gate: Gate) -> None:
    async with AgentWorker(beating, agents=[waiting_agent(gate)], task_queue=task_queue):
        run = await DurableAgent("waiter", beating, task_queue=task_queue, session_ttl_s=0).start("go")
        await gate.begun.wait()

        await becomes(beating, task_queue, ScaleSignal(value=1, backlog=0, in_hand=1))

        gate.open.set()
        await run.result()
        await becomes(beating, task_queue, NOTHING)


async def test_work_of_all_workers_is_counted_once_with_what_waits_for_them(
    beating: Client, runtime: Runtime, gate: Gate
) -> None:
    task_queue = f"scale-{uuid.uuid4().hex}"
    async with AsyncExitStack() as workers:
        # The SDK lets a connection have one worker of a queue.
        for client in (beating, await another(beating, runtime)):
            agents = [waiting_agent(gate)]
            worker = AgentWorker(client, agents=agents, task_queue=task_queue, max_concurrent_activities=2)
            await workers.enter_async_context(worker)
        durable = DurableAgent("waiter", beating, task_queue=task_queue, session_ttl_s=0)

        runs = [await durable.start("go") for _ in range(6)]

        # Four slots; two runs wait for one with their step, or with their tool.
        await becomes(beating, task_queue, ScaleSignal(value=6, backlog=2, in_hand=4))
        gate.open.set()
        await asyncio.gather(*(run.result() for run in runs))
        await becomes(beating, task_queue, NOTHING)


async def test_runs_that_wait_for_people_are_no_work(beating: Client) -> None:
    @tool(approve=True)
    async def pay() -> str:
        """Pay."""
        return "paid"

    task_queue = f"scale-{uuid.uuid4().hex}"
    agents = [Agent(Scripted(calls(("pay", {}))), tools=[pay], name="payer")]
    async with AgentWorker(beating, agents=agents, task_queue=task_queue):
        durable = DurableAgent("payer", beating, task_queue=task_queue)
        runs = await asyncio.gather(*(durable.start("pay") for _ in range(RUNS)))
        results = await asyncio.gather(*(run.result() for run in runs))

        assert {result.interrupted for result in results} == {True}
        await becomes(beating, task_queue, NOTHING)
        for run in runs:
            await beating.get_workflow_handle(run.workflow_id).terminate()


async def test_what_a_killed_worker_had_in_hand_is_forgotten(client: Client, tmp_path: Path) -> None:
    project = write_agents(
        tmp_path / "project",
        "import asyncio\n"
        "from spine_core import Agent, tool\n"
        "from spine_core.testing import ScriptedProvider, calls\n"
        "@tool\n"
        "async def wait() -> str:\n"
        "    'Wait.'\n"
        "    await asyncio.sleep(3600)\n"
        "waiter = Agent(ScriptedProvider(calls(('wait', {}))), tools=[wait], name='waiter')\n",
    )
    task_queue, source = f"scale-{uuid.uuid4().hex}", ScaleSource()
    settings = {
        "SPINE_TEMPORAL_PROJECT": str(project),
        "SPINE_TEMPORAL_TASK_QUEUE": task_queue,
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
    }

    async def in_hand() -> int:
        return (await source.signal(client, task_queue)).in_hand

    async def nothing_in_hand() -> bool:
        return await in_hand() == 0

    worker = await WorkerProcess.start("agent_worker.py", settings)
    run = await DurableAgent("waiter", client, task_queue=task_queue).start("go")
    await until(in_hand, "a tool in hand")
    await worker.kill()

    assert await in_hand() == 1
    await until(nothing_in_hand, "nothing in hand")
    await client.get_workflow_handle(run.workflow_id).terminate()
