"""A short look at a subagent: whether it is over, and what came of it."""

from typing import Final

from pydantic import ValidationError
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.client import Client

from spine_temporal.contracts.base import load
from spine_temporal.contracts.run_end import RunOutcome
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.contracts.subagent import SubagentLook, SubagentOutcome, SubagentReport
from spine_temporal.errors import RunNotFound
from spine_temporal.history.closures import ending_of_close
from spine_temporal.history.follow import close_event, describe, first_event
from spine_temporal.history.payloads import payload_bytes
from spine_temporal.journal.subagents import CANCELLED_SUBAGENT, subagent_outcome

_RUNNING: Final = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING


async def look_at_subagent(client: Client, look: SubagentLook) -> SubagentReport:
    """What came of the subagent, if it is over, and if it is the parent's own."""
    try:
        described = (await describe(client, look.workflow_id)).workflow_execution_info
        run_id = described.execution.run_id
        if not await _is_of(client, look, run_id):
            why = f"the workflow id {look.workflow_id!r} is taken by another run"
            return SubagentReport(outcome=SubagentOutcome(error=why))
        if described.status == _RUNNING:
            return SubagentReport()
        event = await close_event(client, look.workflow_id, run_id)
    except RunNotFound as error:
        return SubagentReport(outcome=SubagentOutcome(error=str(error)))
    if event is None:
        return SubagentReport()
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        result = event.workflow_execution_completed_event_attributes.result
        try:
            outcome = load(RunOutcome, await payload_bytes(result, client.data_converter))
        except ValidationError as error:
            why = f"the workflow {look.workflow_id!r} gave no outcome of a run: {error}"
            return SubagentReport(outcome=SubagentOutcome(error=why))
        return SubagentReport(outcome=subagent_outcome(outcome))
    ending = await ending_of_close(event, client.data_converter)
    if ending is None:
        # It has continued as new since.
        return SubagentReport()
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
        return SubagentReport(outcome=CANCELLED_SUBAGENT)
    return SubagentReport(outcome=SubagentOutcome(error=ending.error))


async def _is_of(client: Client, look: SubagentLook, run_id: str) -> bool:
    started = (await first_event(client, look.workflow_id, run_id)).workflow_execution_started_event_attributes
    try:
        request = load(RunRequest, await payload_bytes(started.input, client.data_converter))
    except ValidationError:
        return False
    parent = request.parent
    return parent is not None and (parent.workflow_id, parent.position) == (look.parent_id, look.position)
