"""A session removed from the server."""

from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.checkpoint.carrier import read_holder
from spine_temporal.checkpoint.session import Place
from spine_temporal.contracts import names
from spine_temporal.history.list_executions import listed


async def delete(client: Client, place: Place, task_queue: str) -> None:
    """Make readers find nothing from now on, and have the server delete every execution that it still keeps.

    The server takes its time, half a minute at least; until then an execution's end says why it ended. One that had
    ended before cannot say it: then a holder without puts, which ends after it, says it. Workflows of other types are
    left alone.

    Raises:
        NotAnAgentRun: the holder's id belongs to a workflow of another type.
    """
    holder = await read_holder(client, place.holder)
    kept: list[WorkflowExecution] = []
    for workflow_id in (place.holder, *holder.chain.holders):
        kept += await _executions(client, workflow_id, names.CHECKPOINT_WORKFLOW)
    runs = await _executions(client, place.run, names.AGENT_WORKFLOW)
    for each in kept:
        await _end(client, each)
    ended = [await _end(client, each) for each in runs]
    if runs and not any(ended):
        await _bury(client, place.holder, task_queue)
    for each in (*runs, *kept):
        await _delete(client, each)


async def remove(client: Client, holder: str) -> None:
    """Have the server delete a holder that no reader looks for any more."""
    for each in await _executions(client, holder, names.CHECKPOINT_WORKFLOW):
        await _end(client, each)
        await _delete(client, each)


async def _executions(client: Client, workflow_id: str, type_: str) -> list[WorkflowExecution]:
    """All that the server keeps. Its list lags behind, so the latest is asked for by itself."""
    found = {each.execution.run_id: each.execution async for each in listed(client, workflow_id, type_)}
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    try:
        described = await client.workflow_service.describe_workflow_execution(request, retry=True)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return list(found.values())
    latest = described.workflow_execution_info
    if latest.type.name == type_:
        found[latest.execution.run_id] = latest.execution
    return list(found.values())


async def _end(client: Client, execution: WorkflowExecution) -> bool:
    """Whether it was open; then its history now says that it was deleted."""
    handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(execution.workflow_id, run_id=execution.run_id)
    try:
        await handle.terminate(reason=names.DELETED)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


async def _bury(client: Client, holder: str, task_queue: str) -> None:
    handle = await client.start_workflow(
        names.CHECKPOINT_WORKFLOW,
        id=holder,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
    )
    await _end(client, WorkflowExecution(workflow_id=holder, run_id=str(handle.result_run_id)))


async def _delete(client: Client, execution: WorkflowExecution) -> None:
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    try:
        await client.workflow_service.delete_workflow_execution(request, retry=True)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
