"""What a run is doing now."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client

from spine_temporal.cli.standing import GOING_ON
from spine_temporal.client.pollers import count_pollers
from spine_temporal.contracts import names
from spine_temporal.format import call, duration, first_line
from spine_temporal.journal.ledger import Child, Ledger

_STATES: Final = {
    PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED: "waiting",
    PendingActivityState.PENDING_ACTIVITY_STATE_STARTED: "running",
    PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED: "cancelling",
}
_RESTS: Final = {
    "paused": "the run waits for a decision",
    "idle": "the session waits for its next turn",
    "suspended": "the workflow was paused on the server",
}


@dataclass(frozen=True, slots=True)
class InFlight:
    """Something that the run waits for."""

    what: str
    state: str
    """running; waiting (for a worker, for its next attempt, for a person); cancelling; paused."""
    attempt: int | None = None
    """None: it is nothing that is attempted."""
    worker: str = ""
    """Identity of the worker that has it, or had it last; empty: none had."""
    since: datetime | None = None
    next_attempt: datetime | None = None
    last_failure: str = ""

    def told(self) -> str:
        """It in one line."""
        if self.attempt is None or self.since is None:
            return self.what
        now = datetime.now(UTC)
        where = f" on {self.worker}" if self.worker and self.state == "running" else ""
        if self.next_attempt is not None and self.next_attempt > now:
            state = f"attempt {self.attempt} in {duration((self.next_attempt - now).total_seconds())}"
        else:
            state = f"{self.state}{where} for {duration((now - self.since).total_seconds())}, attempt {self.attempt}"
        failed = f"; the last one failed: {first_line(self.last_failure)}" if self.last_failure else ""
        return f"{self.what}, {state}{failed}"


async def in_flight(
    client: Client, described: DescribeWorkflowExecutionResponse, ledger: Ledger, status: str
) -> list[InFlight]:
    """What the run, which has that status, waits for; nothing when it is over or just between two things."""
    if status not in GOING_ON:
        return []
    doing = [_activity(each, ledger) for each in described.pending_activities]
    watched = {each.activity_id.partition(" ")[2] for each in described.pending_activities if _watches(each)}
    children = [each for each in ledger.children.values() if not each.over and each.position not in watched]
    doing += [_child(each, ledger) for each in children]
    if doing:
        return doing
    if described.HasField("pending_workflow_task"):
        task, queue = described.pending_workflow_task, described.workflow_execution_info.task_queue
        nobody = not await count_pollers(client, queue)
        if nobody or status not in _RESTS:
            what = f"no worker polls task queue {queue!r}" if nobody else "the workflow decides"
            since = task.scheduled_time.ToDatetime(UTC)
            return [InFlight(what, "waiting", task.attempt or 1, since=since)]
    return [InFlight(_RESTS[status], "waiting")] if status in _RESTS else []


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
    id_ = info.activity_id
    position, _, after = id_.partition(" ")
    step, _, index = position.partition(".")
    match info.activity_type.name:
        case names.STEP_ACTIVITY:
            return f"step {step}: asking the model"
        case names.TOOL_ACTIVITY if index.isdecimal() and int(index) < len(ledger.calls):
            asked = ledger.calls[int(index)]
            return f"step {step}: {call(asked.name, asked.arguments)}"
        case names.END_ACTIVITY:
            return "the hooks of on_run_end"
        case names.RESTORE_ACTIVITY:
            return "bringing the conversation back"
        case names.MIRROR_ACTIVITY:
            return f"writing turn {after} to the agent's checkpoint backend"
        case names.WATCH_ACTIVITY:
            child = ledger.children.get(after)
            who = f"agent {child.agent}" if child is not None else f"the agent on call {after}"
            return f"waits for {who}, begun by an execution before this one"
        case other:
            return f"activity {other} {id_}"


def _watches(info: PendingActivityInfo) -> bool:
    return info.activity_type.name == names.WATCH_ACTIVITY


def _child(child: Child, ledger: Ledger) -> InFlight:
    where = f"as member {child.position} of the team" if ledger.spec.team is not None else f"on call {child.position}"
    works = f"agent {child.agent} works {where}"
    if child.status == "paused":
        return InFlight(f"{works}: it waits for a decision", "waiting")
    return InFlight(works, "running")
