"""Agents that talk, clients that look at what came of it."""

import asyncio
import uuid
from typing import Any, Final

from spine_core import Agent, CheckpointStore, Guards, Message, ModelResponse, State, Tool, ToolCall, Usage
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal import Run
from spine_temporal.client import shared_reads
from spine_temporal.history.fold import Fold
from spine_temporal.history.folded import fold_execution
from tests.support.agents_at_hand import Gate, add
from tests.support.harness import Served, replay
from tests.support.waiting import until

_BOUND_S: Final = 60.0
OPEN: Final = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING


class Parrot:
    """A model whose every answer follows from the conversation: "add 1 2" calls the tool, the rest is repeated.

    Whatever starts with the name of a gate waits there.
    """

    def __init__(self, gates: dict[str, Gate]) -> None:
        self.gates = gates
        self.asked = 0

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        self.asked += 1
        last = messages[-1]
        usage = Usage(input_tokens=len(messages), output_tokens=1, cost_usd=0.25)
        said = str(last.content)
        if last.role == "tool":
            return ModelResponse(message=Message.assistant(f"got {said}"), usage=usage, finish_reason="stop")
        word, *rest = said.split()
        if word in self.gates:
            await self.gates[word].pass_through()
        if word != "add":
            return ModelResponse(message=Message.assistant(f"heard {said}"), usage=usage, finish_reason="stop")
        numbers = [int(each) for each in rest]
        asked = [
            ToolCall(id=f"call_{len(messages)}_{at}", name="add", arguments={"a": a, "b": b})
            for at, (a, b) in enumerate(zip(numbers[::2], numbers[1::2], strict=True))
        ]
        return ModelResponse(message=Message.assistant(None, asked), usage=usage, finish_reason="tool_calls")


def parrot(
    *,
    gates: dict[str, Gate] | None = None,
    checkpoint: CheckpointStore | None = None,
    guards: Guards | None = None,
    tools: list[Tool] | None = None,
    middleware: list[Any] | None = None,
    parallel_tools: bool = False,
) -> Agent:
    """An agent that lives from conversation alone, so that two of them say the same."""
    return Agent(
        Parrot(gates or {}),
        tools=[add] if tools is None else tools,
        system="repeat",
        guards=guards or Guards(max_steps=None),
        checkpoint=checkpoint,
        middleware=middleware or [],
        parallel_tools=parallel_tools,
    )


def new_session() -> str:
    return f"talk-{uuid.uuid4().hex}"


def texts(state: State) -> list[str]:
    """What was said, without the system prompt."""
    return [str(message.content) for message in state.messages if message.role != "system"]


async def status_of(client: Client, workflow_id: str) -> int | None:
    """The status of a workflow's latest execution; None: the server knows no such workflow."""
    try:
        return (await client.get_workflow_handle(workflow_id).describe()).status
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


def looked_at(client: Client, run: Run) -> bool:
    """Whether somebody who waits knows its status."""
    reads = shared_reads._shared.get(asyncio.get_running_loop(), {}).get((id(client), run.workflow_id))
    return reads is not None and reads.status._latest is not None


async def until_closed(client: Client, workflow_id: str) -> None:
    async def closed() -> bool:
        return await status_of(client, workflow_id) != OPEN

    await until(closed, f"the end of {workflow_id}")


async def until_queued(client: Client, served: Served, session_id: str, turns: int) -> None:
    """Wait until that many turns stand in the queue of the session."""

    async def queued() -> bool:
        ledger = await fold_execution(client, (served.get_run(session_id).workflow_id, ""))
        return len(ledger.progress.queue) >= turns

    await until(queued, f"{turns} turns in the queue")


async def chain_of(client: Client, workflow_id: str, run_id: str) -> list[WorkflowHistory]:
    """The histories of an execution and of those that continue it."""
    histories = []
    following: str = run_id
    while following:
        history = await client.get_workflow_handle(workflow_id, run_id=following).fetch_history()
        histories.append(history)
        following = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return histories


async def check_chain(client: Client, served: Served, workflow_id: str, run_id: str) -> int:
    """Each execution replays; the last one alone knows all that they know together. How many they are."""
    histories = await chain_of(client, workflow_id, run_id)
    fold = Fold(client.data_converter)
    for history in histories:
        await replay(history)
        for event in history.events:
            await fold.feed(event)
    last = await fold_execution(client, (workflow_id, histories[-1].run_id))
    assert last == fold.ledger
    kept = served.worker.plugin.activities_of_agents.cache.peek((workflow_id, histories[-1].run_id))
    if kept is not None and kept.progress.revision == last.progress.revision:
        assert kept.state == last.state
    return len(histories)


async def delete_history(client: Client, workflow_id: str, *run_ids: str) -> None:
    """Remove executions of a workflow, all if none is named, as the end of their retention would."""
    if not run_ids:
        run_ids = tuple([each.run_id async for each in client.list_workflows(f"WorkflowId = '{workflow_id}'")])
    for run_id in run_ids:
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
        await client.workflow_service.delete_workflow_execution(request)

    async def gone() -> bool:
        return not [each for each in run_ids if await _ask_for_deletion(client, workflow_id, each)]

    await until(gone, f"the deletion of {workflow_id}")


async def _ask_for_deletion(client: Client, workflow_id: str, run_id: str) -> bool:
    """Whether there is still something to delete. To be repeated: whoever asks once, too early, waits for seconds."""
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    try:
        await client.workflow_service.delete_workflow_execution(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True
