"""Agents on the plain kernel, kept by TemporalCheckpoint."""

import asyncio
import os
import sys
import threading
import uuid
from typing import Any, Final

import pytest
from spine_core import Agent, Guards, InMemoryCheckpointStore, Message, ModelResponse, StopReason, ToolCall, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client

from spine_temporal import TemporalCheckpoint
from spine_temporal.contracts import names

pytestmark = pytest.mark.durable

_RESULT_CHARS: Final = 3_000
_RESUME: Final = '''
import asyncio, os, sys
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, text
from temporalio.client import Client
from spine_temporal import TemporalCheckpoint

@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount} in {os.getpid()}"

async def main() -> None:
    checkpoint = TemporalCheckpoint(await Client.connect(sys.argv[1]))
    agent = Agent("test", provider=ScriptedProvider(text("all paid")), tools=[pay], checkpoint=checkpoint)
    result = await agent.resume(sys.argv[2], "approve")
    print(os.getpid(), result.answer, flush=True)

asyncio.run(main())
os._exit(0)
'''


class Looker:
    """A provider that calls the tool `look` in every step but the last."""

    def __init__(self, steps: int) -> None:
        self.steps, self.taken = steps, 0

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        self.taken += 1
        if self.taken == self.steps:
            return text("done")
        call = ToolCall(id=f"call-{self.taken}", name="look", arguments={"step": self.taken})
        return ModelResponse(message=Message.assistant(f"looking, {self.taken}", [call]))


@tool
async def look(step: int) -> str:
    """Look."""
    return f"{step} ".ljust(_RESULT_CHARS, "x")


@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


async def history_bytes(client: Client, session_id: str) -> int:
    execution = WorkflowExecution(workflow_id=f"{names.CHECKPOINT_ID_PREFIX}{session_id}")
    request = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
    described = await client.workflow_service.describe_workflow_execution(request)
    return described.workflow_execution_info.history_size_bytes


async def test_a_long_run_costs_what_its_messages_cost(client: Client) -> None:
    weighed: dict[int, int] = {}
    for steps in (100, 200):
        session_id, memory = uuid.uuid4().hex, InMemoryCheckpointStore()
        checkpoint = TemporalCheckpoint(client)
        for store in (checkpoint, memory):
            agent = Agent("test", provider=Looker(steps), tools=[look], checkpoint=store, guards=Guards(max_steps=500))
            result = await agent.run("look around", session_id=session_id)
            assert result.stopped_reason is StopReason.FINAL
        assert await TemporalCheckpoint(client).get(session_id) == await memory.get(session_id)

        weighed[steps] = await history_bytes(client, session_id)
        content = sum(len(each.model_dump_json(exclude_defaults=True)) for each in result.state.messages)
        assert weighed[steps] <= 2 * content

    assert 1.9 < weighed[200] / weighed[100] < 2.1


async def test_a_run_paused_here_is_resumed_in_another_process(client: Client) -> None:
    checkpoint = TemporalCheckpoint(client)
    agent = Agent("test", provider=ScriptedProvider(calls(("pay", {"amount": 7}))), tools=[pay], checkpoint=checkpoint)
    paused = await agent.run("pay 7")
    assert paused.resume_token

    address = client.service_client.config.target_host
    command = [sys.executable, "-c", _RESUME, address, paused.resume_token]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 0
    pid, answer = output.decode().strip().split(" ", 1)
    assert answer == "all paid"
    state = await checkpoint.get(paused.resume_token)
    assert state is not None
    assert [each.content for each in state.messages[-2:]] == [f"paid 7 in {pid}", "all paid"]
    assert state.pending is None


async def test_a_conversation_goes_on_over_several_runs(client: Client) -> None:
    session_id = uuid.uuid4().hex
    for turn in range(3):
        agent = Agent("test", provider=ScriptedProvider(text(f"answer {turn}")), checkpoint=TemporalCheckpoint(client))
        result = await agent.run(f"question {turn}", session_id=session_id)

    assert [each.content for each in result.state.messages] == [
        f"{kind} {turn}" for turn in range(3) for kind in ("question", "answer")
    ]


def run_twice(checkpoint: TemporalCheckpoint) -> list[str | None]:
    """`run_sync` takes a new event loop for each call."""
    agent = Agent("test", provider=ScriptedProvider(text("yes")), checkpoint=checkpoint)
    session_id = uuid.uuid4().hex
    agent.run_sync("first", session_id=session_id)
    return [each.content for each in agent.run_sync("second", session_id=session_id).state.messages]


def in_threads(checkpoint: TemporalCheckpoint, count: int) -> list[list[str | None]]:
    contents: list[list[str | None]] = []
    threads = [threading.Thread(target=lambda: contents.append(run_twice(checkpoint))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return contents


async def test_run_sync_works_with_a_client_of_another_loop(client: Client) -> None:
    assert in_threads(TemporalCheckpoint(client), 4) == [["first", "yes", "second", "yes"]] * 4


async def test_run_sync_works_with_a_client_made_on_first_use(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "TEMPORAL_ADDRESS", client.service_client.config.target_host)

    assert in_threads(TemporalCheckpoint(), 4) == [["first", "yes", "second", "yes"]] * 4
