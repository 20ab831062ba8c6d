"""What a run is doing now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from spine_core import ToolCall
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.exceptions import FailureError

from spine_temporal.client.pollers import count_pollers
from spine_temporal.client.read_model import ReadModel
from spine_temporal.contracts import names
from spine_temporal.format import call

_STATES: Final = {
    PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED: "waiting",
    PendingActivityState.PENDING_ACTIVITY_STATE_STARTED: "running",
    PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED: "cancelling",
}
_WAITS_FOR: Final = {
    "paused": "the run waits for a decision",
    "idle": "the session waits for its next turn",
    "suspended": "the workflow was paused on the server",
}


class PendingWork(ReadModel):
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


@dataclass(frozen=True, slots=True)
class SubagentAtWork:
    """An agent below the run whose work is not over."""

    position: str
    agent: str
    paused: bool


@dataclass(frozen=True, slots=True)
class StepInHand:
    """What a run's history says of the work in it."""

    calls: Sequence[ToolCall] = ()
    """The tool calls of the step in hand."""
    subagents: Sequence[SubagentAtWork] = ()
    is_team: bool = False


async def pending_work(
    client: Client, described: DescribeWorkflowExecutionResponse, step: StepInHand, status: str
) -> list[PendingWork]:
    """What an open run waits for; nothing when it is just between two things.

    `status` is the published one: "idle" also of a session whose last turn failed.
    """
    at_work = {each.position for each in step.subagents}
    # A look at an agent that is at work says no more than that it is.
    activities = [each for each in described.pending_activities if _looked_at(each) not in at_work]
    found = [await _activity(client, each, step) for each in activities]
    found += [_subagent(each, step) for each in step.subagents]
    if found:
        return found
    if described.HasField("pending_workflow_task"):
        task, queue = described.pending_workflow_task, described.workflow_execution_info.task_queue
        nobody = not await count_pollers(client, queue)
        if nobody or status not in _WAITS_FOR:
            what = f"no worker polls task queue {queue!r}" if nobody else "the workflow decides"
            since = task.scheduled_time.ToDatetime(UTC)
            return [PendingWork(what=what, state="waiting", attempt=task.attempt or 1, since=since)]
    return [PendingWork(what=_WAITS_FOR[status], state="waiting")] if status in _WAITS_FOR else []


async def failure_message(client: Client, failure: Failure) -> str:
    """What a failure says, read as the client's failure converter wrote it."""
    error = await client.data_converter.decode_failure(failure)
    return error.message if isinstance(error, FailureError) else str(error)


async def _activity(client: Client, info: PendingActivityInfo, step: StepInHand) -> PendingWork:
    started = info.HasField("last_started_time") and info.state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    since = info.last_started_time if started else info.scheduled_time
    again = info.next_attempt_schedule_time if info.HasField("next_attempt_schedule_time") else None
    failed = await failure_message(client, info.last_failure) if info.HasField("last_failure") else ""
    return PendingWork(
        what=_what(info, step),
        state=_STATES.get(info.state, "paused"),
        attempt=info.attempt,
        worker=info.last_worker_identity,
        since=since.ToDatetime(UTC),
        next_attempt=again.ToDatetime(UTC) if again is not None else None,
        last_failure=failed,
    )


def _what(info: PendingActivityInfo, step: StepInHand) -> str:
    id_ = info.activity_id
    position, _, after = id_.partition(" ")
    number, _, index = position.partition(".")
    match info.activity_type.name:
        case names.STEP_ACTIVITY:
            return f"step {number}: asking the model"
        case names.TOOL_ACTIVITY if index.isdecimal() and int(index) < len(step.calls):
            asked = step.calls[int(index)]
            return f"step {number}: {call(asked.name, asked.arguments)}"
        case names.END_ACTIVITY:
            return "the hooks of on_run_end"
        case names.RESTORE_ACTIVITY:
            return "bringing the conversation back"
        case names.MIRROR_ACTIVITY:
            return f"writing turn {after} to the agent's checkpoint backend"
        case names.SUBAGENT_ACTIVITY:
            return f"looking whether the agent on call {after.partition(' ')[0]} is over"
        case other:
            return f"activity {other} {id_}"


def _looked_at(activity: PendingActivityInfo) -> str | None:
    """The position of the call whose agent an activity looks at: "look 3.0 1a2b3c"; None: it is another activity."""
    if activity.activity_type.name != names.SUBAGENT_ACTIVITY:
        return None
    return activity.activity_id.split(" ")[1]


def _subagent(subagent: SubagentAtWork, step: StepInHand) -> PendingWork:
    position = subagent.position
    works = f"agent {subagent.agent} works " + (
        f"as member {position.partition('.')[0]} of the team" if step.is_team else f"on call {position}"
    )
    if subagent.paused:
        return PendingWork(what=f"{works}: it waits for a decision", state="waiting")
    return PendingWork(what=works, state="running")
