"""Updates sent to a run, again with the same id where that is safe; and asked after."""

import asyncio
from datetime import timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage
from temporalio.api.update.v1 import UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
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

from spine_temporal.client.server_errors import refused_update, unreachable
from spine_temporal.client.shared_reads import shared_reads
from spine_temporal.history.follow import describe, latest_run_id
from spine_temporal.history.patience import PASSING

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
# A server fails when it is asked after an update that it sent again and that was refused (server 1.32).
_BROKEN: Final = 3
# A server answers after 20 s at the latest, with no outcome if there is none.
_POLL: Final = timedelta(seconds=60)
_COMPLETED: Final = UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
_FIRST_PAUSE_S: Final = 0.1
_LAST_PAUSE_S: Final = 2.0


class RunOver(Exception):
    """The workflow is closed, or was never there."""


async def send_update(
    client: Client, workflow_id: str, name: str, value: RawValue, id_: str, *, run_id: str | None = None
) -> tuple[str, RawValue]:
    """The run id of the execution that took the update, with its answer; while no worker is there, it waits for one.

    After some seconds of that, a warning is logged. What is sent again has the same id, so it is one update. With a
    `run_id` no other execution takes it.

    Raises:
        RunOver: nobody can take it any more; also of one that the workflow had begun to take when it closed.
        SpineTemporalError: the workflow refused it; the class says why.
        ServerUnreachable: no server answers.
        asyncio.CancelledError: the caller is cancelled; whether the update is taken is not known.
    """
    handle, pause_s = client.get_workflow_handle(workflow_id, run_id=run_id), _FIRST_PAUSE_S
    with shared_reads(client, workflow_id):
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
                await _raise_unless_passing(error, client, workflow_id, run_id)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LAST_PAUSE_S)


async def _raise_unless_passing(error: RPCError, client: Client, workflow_id: str, run_id: str | None) -> None:
    if error.status is RPCStatusCode.UNAVAILABLE:
        raise unreachable(client, error) from error
    if error.status is RPCStatusCode.NOT_FOUND:
        raise RunOver from error
    if error.status not in _PASSING:
        raise error
    # Of one that a reset ended while an update was on its way, a server says for ever that it is closing.
    if run_id is not None and await latest_run_id(client, workflow_id) != run_id:
        raise RunOver from error


async def is_answered(client: Client, workflow_id: str, id_: str) -> bool:
    """Wait for the answer to an update that the server sends again after a reset; False: it is refused, or unknown.

    Also one that was answered before the latest execution began is unknown.

    Raises:
        RunNotFound: there is no such run.
        ServerUnreachable: the server was away for more than five minutes.
        asyncio.CancelledError: the caller is cancelled.
    """
    asked = PollWorkflowExecutionUpdateRequest(
        namespace=client.namespace,
        update_ref=UpdateRef(workflow_execution=WorkflowExecution(workflow_id=workflow_id), update_id=id_),
        wait_policy=WaitPolicy(lifecycle_stage=_COMPLETED),
    )
    broken, pause_s = 0, _FIRST_PAUSE_S
    while broken < _BROKEN:
        try:
            outcome = (await client.workflow_service.poll_workflow_execution_update(asked, timeout=_POLL)).outcome
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            if error.status not in PASSING:
                raise
            broken += error.status is RPCStatusCode.INTERNAL
            # It waits for a server that is away.
            await describe(client, workflow_id)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LAST_PAUSE_S)
        else:
            if outcome.WhichOneof("value") is not None:
                return outcome.HasField("success")
    return False


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
