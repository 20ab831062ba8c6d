"""Updates sent to a run, again with the same id where that changes nothing but the answer."""

import asyncio
from typing import Final

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.client.pollers import warn_if_no_worker
from spine_temporal.client.server_errors import refused_update, unreachable

# Ten updates wait already, the most that a stock server lets wait; the workflow continues as new; its task has failed
# and is tried again.
_PASSING: Final = frozenset(
    {
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.DEADLINE_EXCEEDED,
    }
)
# The workflow closed while its handler was at work: what was asked for has not been done.
_CUT_OFF: Final = "AcceptedUpdateCompletedWorkflow"
_FIRST_PAUSE_S: Final = 0.1
_LAST_PAUSE_S: Final = 2.0


class RunOver(Exception):
    """The workflow is closed, or was never there."""


async def send_update(client: Client, workflow_id: str, name: str, value: RawValue, id_: str) -> tuple[str, RawValue]:
    """The run id of the execution that took the update, with its answer; while no worker is there, it waits for one.

    After some seconds of that, a warning is logged. What is sent again has the same id, so it is one update.

    Raises:
        RunOver: nobody can take it any more; also of one that the workflow had begun to take when it closed.
        SpineTemporalError: the workflow refused it; the class says why.
        ServerUnreachable: no server answers.
        asyncio.CancelledError: the caller is cancelled; whether the update is taken is not known.
    """
    handle, pause_s = client.get_workflow_handle(workflow_id), _FIRST_PAUSE_S
    async with warn_if_no_worker(client, workflow_id):
        while True:
            try:
                update: WorkflowUpdateHandle[RawValue] = await handle.start_update(
                    name, value, id=id_, wait_for_stage=WorkflowUpdateStage.COMPLETED, result_type=RawValue
                )
                return update.workflow_run_id or "", await update.result()
            except WorkflowUpdateFailedError as error:
                if isinstance(error.cause, ApplicationError) and error.cause.type == _CUT_OFF:
                    raise RunOver from error
                raise refused_update(error) from None
            except WorkflowUpdateRPCTimeoutOrCancelledError as error:
                if _is_cancelled():
                    raise asyncio.CancelledError from error
            except RPCError as error:
                if error.status is RPCStatusCode.UNAVAILABLE:
                    raise unreachable(client, error) from error
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise RunOver from error
                if error.status not in _PASSING:
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LAST_PAUSE_S)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
