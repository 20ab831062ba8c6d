"""A run that waits for a person outlives its worker and its server."""

import asyncio
import signal
import uuid
from pathlib import Path

import pytest
from spine_core import Result

from spine_temporal import DurableAgent
from spine_temporal.testing import dev_server
from tests.faults.agents import paying_agent
from tests.support.harness import assert_same, history_of, replay
from tests.support.processes import Fleet
from tests.support.waiting import until

pytestmark = pytest.mark.durable


async def on_the_kernel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Result]:
    agent = paying_agent(tmp_path_factory.mktemp("kernel"))
    paused = await agent.run("pay")
    assert paused.resume_token is not None
    before = paused.model_copy(deep=True)
    return before, await agent.resume(paused.resume_token, "yes")


async def test_a_paused_run_is_resumed_after_its_worker_and_its_server_were_killed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    paused, resumed = await on_the_kernel(tmp_path_factory)
    async with dev_server(database=tmp_path / "temporal.db") as server:
        with Fleet(server.address, f"faults-{uuid.uuid4().hex}", tmp_path) as fleet:
            durable = DurableAgent("payer", server.client, task_queue=fleet.task_queue)
            first = fleet.start()
            ours = await durable.run("pay")
            assert_same(ours, paused)

            first.send_signal(signal.SIGKILL)
            first.wait()
            await server.kill()
            await server.restart()
            resuming = asyncio.create_task(durable.resume(str(ours.resume_token), "yes"))
            fleet.start()

            assert_same(await resuming, resumed)
            assert [fleet.effects.count(f"finished {point}") for point in ("model-0", "pay", "model-1")] == [1, 1, 1]
            await replay(await history_of(server.client, durable.get_run(str(ours.resume_token))))


async def test_a_decision_outlives_the_worker_that_carries_it_out(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _, resumed = await on_the_kernel(tmp_path_factory)
    async with dev_server(database=tmp_path / "temporal.db") as server:
        with Fleet(server.address, f"faults-{uuid.uuid4().hex}", tmp_path) as fleet:
            durable = DurableAgent("payer", server.client, task_queue=fleet.task_queue)
            first = fleet.start()
            paused = await durable.run("pay")
            fleet.effects.hold("pay")
            resuming = asyncio.create_task(durable.resume(str(paused.resume_token), "yes"))
            await until(lambda: fleet.effects.count("started pay") > 0, "the tool at work")

            first.send_signal(signal.SIGKILL)
            first.wait()
            fleet.effects.release("pay")
            fleet.start()

            assert_same(await resuming, resumed)
            assert (fleet.effects.count("started pay"), fleet.effects.count("finished pay")) == (2, 1)
