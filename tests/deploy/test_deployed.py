"""A worker process with its probe, as an orchestrator runs them."""

import asyncio
import os
import shutil
import socket
import sys
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.deploy.repository import ROOT, SAMPLE

PROBE = ROOT / "deploy" / "healthcheck.py"


async def probe(settings: Mapping[str, str]) -> tuple[int | None, str]:
    """The probe's exit code and what it says."""
    probing = await asyncio.create_subprocess_exec(sys.executable, PROBE, env=os.environ | settings, stdout=PIPE)
    said, _ = await probing.communicate()
    return probing.returncode, said.decode().strip()


@pytest.fixture
def settings(client: Client, tmp_path: Path) -> dict[str, str]:
    """The environment of a container that serves the sample project."""
    return {
        "SPINE_TEMPORAL_PROJECT": str(shutil.copytree(SAMPLE, tmp_path / "sample")),
        "SPINE_TEMPORAL_TASK_QUEUE": f"test-{uuid.uuid4().hex}",
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": client.namespace,
    }


@pytest_asyncio.fixture
async def worker(settings: dict[str, str]) -> AsyncIterator[Process]:
    file = ROOT / "workers" / "agent_worker.py"
    running = await asyncio.create_subprocess_exec(sys.executable, file, env=os.environ | settings)
    yield running
    if running.returncode is None:
        running.kill()
        await running.wait()


@pytest.mark.durable
async def test_container_turns_healthy_then_serves_its_project_then_ends_well(
    client: Client, settings: dict[str, str], worker: Process
) -> None:
    async with asyncio.timeout(60):
        while await probe(settings) != (0, ""):
            assert worker.returncode is None, "the worker ended by itself"
    result = await DurableAgent("assistant", client, task_queue=settings["SPINE_TEMPORAL_TASK_QUEUE"]).run(
        "which modules pickle objects?"
    )
    worker.terminate()
    async with asyncio.timeout(60):
        code = await worker.wait()

    assert "pickle.py:" in (result.answer or "")
    assert code == 0


@pytest.mark.durable
async def test_probe_fails_while_no_worker_of_its_host_polls(settings: dict[str, str]) -> None:
    assert await probe(settings) == (1, "no worker of this host polls the task queue")


async def test_probe_says_so_when_no_server_answers() -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        host, port = nobody_listens.getsockname()

        code, said = await probe({"TEMPORAL_ADDRESS": f"{host}:{port}"})

    assert code == 1
    assert f"no Temporal server answers at {host}:{port}" in said
