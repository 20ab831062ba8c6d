"""What a worker process logs as JSON, and where its metrics go."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.deploy.worker_process import WorkerProcess, write_agents
from tests.support.services.otlp import Receiver
from tests.support.waiting import until

pytestmark = pytest.mark.durable

AGENTS = """\
import logging
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text

@tool
def look(where: str) -> str:
    "Look."
    logging.getLogger("tools").info("looked\\naround")
    return "seen canary-7781"

agent = Agent(ScriptedProvider(calls(("look", {"where": "canary-7781"})), text("canary-7781")), tools=[look], name="a")
"""


@pytest_asyncio.fixture
async def worker(client: Client, tmp_path: Path) -> AsyncIterator[tuple[WorkerProcess, DurableAgent, Receiver]]:
    task_queue = f"telemetry-{uuid.uuid4().hex}"
    with Receiver() as receiver:
        settings = {
            "SPINE_TEMPORAL_PROJECT": str(write_agents(tmp_path / "project", AGENTS)),
            "SPINE_TEMPORAL_TASK_QUEUE": task_queue,
            "SPINE_TEMPORAL_LOG_JSON": "1",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": receiver.url.replace("/v1/traces", "/v1/metrics"),
            "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        }
        started = await WorkerProcess.start("agent_worker.py", settings)
        try:
            yield started, DurableAgent("a", client, task_queue=task_queue), receiver
        finally:
            if started.process.returncode is None:
                started.process.kill()
            await started.ended()


async def test_every_line_is_json_and_says_its_run_and_no_content(
    worker: tuple[WorkerProcess, DurableAgent, Receiver],
) -> None:
    process, agent, receiver = worker
    run = await agent.start("canary-7781?")
    await run.result()
    await process.says("looked")
    await until(lambda: receiver.metric("spine_steps"), "metrics")

    lines = [json.loads(line) for line in process.lines]
    (ours,) = [line for line in lines if line["logger"] == "tools"]
    place = {name: ours[name] for name in ("run", "agent", "step", "call", "attempt")}
    assert place == {"run": run.workflow_id, "agent": "a", "step": 1, "call": "1.0", "attempt": 1}
    assert ours["message"] == "looked\naround"
    assert "canary-7781" not in "".join(process.lines)


async def test_metrics_that_are_sent_are_not_served(worker: tuple[WorkerProcess, DurableAgent, Receiver]) -> None:
    process, _, _ = worker

    await process.answers("/readyz", 200)

    assert "sent by OTLP" in str(await process.get("/metrics"))
