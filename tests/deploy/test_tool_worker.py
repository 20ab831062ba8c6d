"""`workers/tool_worker.py`: a process that runs the tools of one queue, and nothing else."""

import uuid
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from spine_temporal import DurableAgent
from tests.deploy.worker_process import WorkerProcess, write_agents

pytestmark = pytest.mark.durable

AGENTS = """\
import os
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text
from spine_temporal import durable

@durable(task_queue="QUEUE-gpu")
@tool
async def where() -> str:
    "Say which process runs this."
    return str(os.getpid())

agent = Agent(ScriptedProvider(calls(("where", {})), text("done")), tools=[where], name="asker")
"""


async def pollers(client: Client, task_queue: str, kind: TaskQueueType.ValueType) -> int:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
    )
    return len((await client.workflow_service.describe_task_queue(request)).pollers)


async def test_tool_runs_on_the_worker_of_its_queue_which_polls_for_nothing_else(
    client: Client, tmp_path: Path
) -> None:
    task_queue = f"tools-{uuid.uuid4().hex}"
    project = write_agents(tmp_path / "project", AGENTS.replace("QUEUE", task_queue))
    settings = {
        "SPINE_TEMPORAL_PROJECT": str(project),
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
    }
    of_agents = await WorkerProcess.start("agent_worker.py", settings | {"SPINE_TEMPORAL_TASK_QUEUE": task_queue})
    of_tools = await WorkerProcess.start(
        "tool_worker.py", settings | {"SPINE_TEMPORAL_TASK_QUEUE": f"{task_queue}-gpu"}
    )
    try:
        await of_tools.answers("/readyz", 200)

        result = await DurableAgent("asker", client, task_queue=task_queue, session_ttl_s=0).run("go")

        assert result.answer == "done"
        said = [message.content for message in result.state.messages if message.role == "tool"]
        assert said == [str(of_tools.process.pid)]
        assert await pollers(client, f"{task_queue}-gpu", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY) == 1
        assert await pollers(client, f"{task_queue}-gpu", TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW) == 0
        of_tools.process.terminate()
        assert await of_tools.ended() == 0
    finally:
        await of_agents.kill()
        await of_tools.kill()
