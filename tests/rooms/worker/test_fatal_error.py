"""A worker that cannot go on says so at once, and ends: the SDK's own end may never come."""

import asyncio
import subprocess
import sys
import uuid

import pytest
from spine_core import Agent
from temporalio.client import Client

from spine_temporal import AgentWorker
from spine_temporal.worker.fatal_error import FatalError
from spine_temporal.worker.health import Health

PROCESS = """
import asyncio, sys
from spine_core import Agent
from temporalio.client import Client
from spine_temporal import AgentWorker
from spine_temporal.worker.process import work_until_signalled

async def main():
    worker = AgentWorker(
        await Client.connect(sys.argv[1]), agents=[Agent("offline:planner", name="a")], task_queue=sys.argv[2]
    )
    error = RuntimeError("Activity worker failed")
    error.__cause__ = RuntimeError("Poll failure: it may not poll")
    await work_until_signalled(worker, ready=lambda: tasks.append(asyncio.create_task(worker.fatal_error(error))))

tasks = []
asyncio.run(main())
"""


@pytest.mark.durable
async def test_its_process_ends_with_1_and_says_why(client: Client) -> None:
    arguments = [sys.executable, "-c", PROCESS, client.service_client.config.target_host, uuid.uuid4().hex]

    done = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 1
    assert "the worker cannot go on, and ends; another takes over: Poll failure: it may not poll" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.durable
async def test_it_is_neither_alive_nor_ready(client: Client) -> None:
    health, told = Health(), list[BaseException]()

    async def on_fatal_error(error: BaseException) -> None:
        told.append(error)

    agent = Agent("offline:planner", name="a")
    async with AgentWorker(
        client, agents=[agent], task_queue=uuid.uuid4().hex, on_fatal_error=on_fatal_error
    ) as worker:
        health.serving(worker)
        assert health.livez().status == 200

        error = RuntimeError("it may not poll")
        await asyncio.create_task(worker.fatal_error(error))

        assert (health.livez().status, health.readyz().status) == (503, 503)
        assert told == [error]


async def test_what_runs_it_does_not_wait_for_an_end_that_never_comes() -> None:
    async def run() -> None:
        await FatalError(graceful_shutdown_s=-1000.0)(RuntimeError("it may not poll"))
        await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(run())
