"""What a run is doing now."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client

from spine_temporal.cli.wording import call, duration, first_line
from spine_temporal.client.presence import count_pollers
from spine_temporal.contracts import names
from spine_temporal.journal.ledger import Ledger

_STATES: Final = {
    PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED: "waiting",
    PendingActivityState.PENDING_ACTIVITY_STATE_STARTED: "running",
    PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED: "cancelling",
}


@dataclass(frozen=True, slots=True)
class InFlight:
    """Something that the run waits for."""

    what: str
    state: str
    """running; waiting (for a worker, or for its next attempt); cancelling; paused."""
    attempt: int
    worker: str
    """Identity of the worker that has it, or had it last; empty: none had."""
    since: datetime
    next_attempt: datetime | None
    last_failure: str

    def told(self) -> str:
        """It in one line."""
        now = datetime.now(UTC)
        where = f" on {self.worker}" if self.worker and self.state == "running" else ""
        if self.next_attempt is not None and self.next_attempt > now:
            state = f"attempt {self.attempt} in {duration((self.next_attempt - now).total_seconds())}"
        else:
            state = f"{self.state}{where} for {duration((now - self.since).total_seconds())}, attempt {self.attempt}"
        failed = f"; the last one failed: {first_line(self.last_failure)}" if self.last_failure else ""
        return f"{self.what}, {state}{failed}"


async def in_flight(client: Client, described: DescribeWorkflowExecutionResponse, ledger: Ledger) -> list[InFlight]:
    """What the run waits for; nothing when it is over or just between two things."""
    activities = [_activity(each, ledger) for each in described.pending_activities]
    if activities or not described.HasField("pending_workflow_task"):
        return activities
    task, queue = described.pending_workflow_task, described.workflow_execution_info.task_queue
    nobody = not await count_pollers(client, queue)
    what = f"no worker polls task queue {queue!r}" if nobody else "the workflow decides"
    return [InFlight(what, "waiting", task.attempt or 1, "", task.scheduled_time.ToDatetime(UTC), None, "")]


def _activity(info: PendingActivityInfo, ledger: Ledger) -> InFlight:
    started = info.HasField("last_started_time") and info.state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    since = info.last_started_time if started else info.scheduled_time
    return InFlight(
        what=_what(info, ledger),
        state=_STATES.get(info.state, "paused"),
        attempt=info.attempt,
        worker=info.last_worker_identity,
        since=since.ToDatetime(UTC),
        next_attempt=info.next_attempt_schedule_time.ToDatetime(UTC)
        if info.HasField("next_attempt_schedule_time")
        else None,
        last_failure=info.last_failure.message,
    )


def _what(info: PendingActivityInfo, ledger: Ledger) -> str:
    step, _, index = info.activity_id.partition(".")
    match info.activity_type.name:
        case names.STEP_ACTIVITY:
            return f"step {step}: asking the model"
        case names.TOOL_ACTIVITY if index.isdecimal() and int(index) < len(ledger.calls):
            asked = ledger.calls[int(index)]
            return f"step {step}: {call(asked.name, asked.arguments)}"
        case names.END_ACTIVITY:
            return "the hooks of on_run_end"
        case other:
            return f"activity {other} {info.activity_id}"
