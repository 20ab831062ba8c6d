"""A child waited for until it is over."""

from pydantic import ValidationError
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from spine_temporal.contracts.base import load
from spine_temporal.contracts.run_end import RunOutcome
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.history.closures import broken_off
from spine_temporal.history.event_reader import payload_bytes
from spine_temporal.history.follow import closing
from spine_temporal.journal.calls import outcome_of


async def watch(client: Client, workflow_id: str) -> SubagentOutcome:
    """What came of the child, once it is over."""
    event = await closing(client, workflow_id)
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        result = event.workflow_execution_completed_event_attributes.result
        try:
            outcome = load(RunOutcome, await payload_bytes(result, client.data_converter))
        except ValidationError as error:
            return SubagentOutcome(error=f"the workflow {workflow_id!r} gave no outcome of a run: {error}")
        return outcome_of(outcome)
    ending = broken_off(event)
    return SubagentOutcome(error=(ending.error or ending.reason.value) if ending else "it is over")
