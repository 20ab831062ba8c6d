"""A worker process as an orchestrator runs it."""

import asyncio
import os
import shutil
import sys
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from spine_temporal import DurableAgent
from spine_temporal.worker.health_routes import free_local_address
from tests.deploy.repository import ROOT, SAMPLE
from tests.deploy.test_probe import probe


async def until_ready(worker: Process) -> None:
    """Wait for the line that a worker logs when it begins to poll."""
    assert worker.stderr is not None
    async for line in worker.stderr:
        if b"worker ready" in line:
            return
    pytest.fail("the worker ended by itself")


@pytest.fixture
def settings(client: Client, tmp_path: Path) -> dict[str, str]:
    """The environment of a container that serves the sample project."""
    return {
        "SPINE_TEMPORAL_PROJECT": str(shutil.copytree(SAMPLE, tmp_path / "sample")),
        "SPINE_TEMPORAL_TASK_QUEUE": f"test-{uuid.uuid4().hex}",
        "SPINE_TEMPORAL_HEALTH_ADDRESS": free_local_address(),
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": client.namespace,
    }


@pytest_asyncio.fixture
async def worker(settings: dict[str, str]) -> AsyncIterator[Process]:
    file = ROOT / "workers" / "agent_worker.py"
    running = await asyncio.create_subprocess_exec(sys.executable, file, env=os.environ | settings, stderr=PIPE)
    yield running
    if running.returncode is None:
        running.kill()
        await running.wait()


@pytest.mark.durable
async def test_container_turns_healthy_then_serves_its_project_then_ends_well(
    client: Client, settings: dict[str, str], worker: Process
) -> None:
    async with asyncio.timeout(60):
        await until_ready(worker)
        while await asyncio.to_thread(probe, settings["SPINE_TEMPORAL_HEALTH_ADDRESS"]) != (0, ""):
            assert worker.returncode is None, "the worker ended by itself"
    result = await DurableAgent("assistant", client, task_queue=settings["SPINE_TEMPORAL_TASK_QUEUE"]).run(
        "which modules pickle objects?"
    )
    worker.terminate()
    async with asyncio.timeout(60):
        code = await worker.wait()

    assert "pickle.py:" in (result.answer or "")
    assert code == 0
