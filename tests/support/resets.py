"""Executions taken back to an earlier moment, as `temporal workflow reset` does it."""

import uuid

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHistory

_SIGNALS = ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL


def reset_points(history: WorkflowHistory) -> list[int]:
    """The events that an execution can be reset to: the ends of its workflow tasks."""
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    return [event.event_id for event in history.events if event.event_type == done]


async def reset(client: Client, history: WorkflowHistory, point: int, *, without_signals: bool = False) -> str:
    """Reset the execution of that history; the run id of the one that takes its place.

    `without_signals`: those that came after that point are not sent again.

    Raises:
        temporalio.service.RPCError: the server does not cut there.
    """
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=history.workflow_id, run_id=history.run_id),
        reason="a test",
        workflow_task_finish_event_id=point,
        request_id=uuid.uuid4().hex,
        reset_reapply_exclude_types=[_SIGNALS] if without_signals else [],
    )
    return str((await client.workflow_service.reset_workflow_execution(request)).run_id)
