"""The runs above an activity, released from a worker that was lost."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    ResetStickyTaskQueueRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

_log = logging.getLogger(__name__)

_ASK_FOR: Final = timedelta(seconds=2)
# Deeper trees of agents are rare; what is left out only waits for some seconds.
_LEVELS: Final = 8


async def release_runs(client: Client, described: DescribeWorkflowExecutionResponse) -> None:
    """Let any worker have the next tasks of the run `described`, and of those it works for.

    The server keeps the tasks of a run for the worker that has it in its cache. Of a worker that was lost in the midst
    of an activity that is likely the same one, and the activity's result would wait for it once more. Where it is not,
    the run is replayed once.
    """
    try:
        for _ in range(_LEVELS):
            info = described.workflow_execution_info
            request = ResetStickyTaskQueueRequest(namespace=client.namespace, execution=info.execution)
            parent = info.parent_execution
            if not parent.workflow_id:
                await client.workflow_service.reset_sticky_task_queue(request, timeout=_ASK_FOR)
                return
            # By its id alone: meanwhile it may have continued as new.
            above = DescribeWorkflowExecutionRequest(
                namespace=client.namespace, execution=WorkflowExecution(workflow_id=parent.workflow_id)
            )
            _, described = await asyncio.gather(
                client.workflow_service.reset_sticky_task_queue(request, timeout=_ASK_FOR),
                client.workflow_service.describe_workflow_execution(above, timeout=_ASK_FOR),
            )
    except RPCError as error:
        _log.debug("could not release a run from a lost worker; its next task waits for some seconds", exc_info=error)
