"""What a run waits for at this moment, as the server describes it."""

from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client

from spine_temporal.client.run import Run
from spine_temporal.contracts import names


@dataclass(frozen=True, slots=True)
class PendingActivity:
    """An activity that is scheduled and not completed."""

    id: str
    is_step: bool
    """It asks the model."""
    attempt: int
    running: bool
    """A worker has it, as far as the server knows."""
    worker: str
    """The worker that has it, or had it last."""
    since_s: float
    """When this attempt began or, not running, was asked for; Unix time by the server's clock."""
    last_failure: str


async def describe_now(client: Client, run: Run) -> tuple[PendingActivity | None, int]:
    """The oldest thing in flight with the bytes of the history so far."""
    execution = WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id or "")
    described = await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
    )
    pending = [_in_flight(each) for each in described.pending_activities]
    return (pending[0] if pending else None), described.workflow_execution_info.history_size_bytes


def _in_flight(info: PendingActivityInfo) -> PendingActivity:
    running = info.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    return PendingActivity(
        id=info.activity_id,
        is_step=info.activity_type.name == names.STEP_ACTIVITY,
        attempt=info.attempt,
        running=running,
        worker=info.last_worker_identity,
        since_s=_time_s(info.last_started_time if running else info.scheduled_time),
        last_failure=info.last_failure.message,
    )


def _time_s(stamp: Timestamp) -> float:
    return stamp.ToNanoseconds() / 1e9
