"""Workflows that closed without an outcome, with the reason that was given."""

from typing import Final

from spine_core import StopReason
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.history.failures import decoded_failure
from spine_temporal.journal.counters import failure, stopped_by_guard
from spine_temporal.journal.subagents import CANCELLED_SUBAGENT

WITHOUT_OUTCOME: Final = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
)
"""The events that `ending_of_close` reads."""


async def ending_of_close(event: HistoryEvent, converter: DataConverter) -> Ending | None:
    """The ending of a run whose workflow was closed from outside, or failed; None: the event is no such close."""
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
            return stopped_by_guard(StopReason.CANCELLED)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            reason = event.workflow_execution_terminated_event_attributes.reason or "no reason given"
            return failure(f"the run was terminated: {reason}")
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            return failure("the run's workflow reached its timeout")
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            failed = event.workflow_execution_failed_event_attributes.failure
            return failure((await decoded_failure(failed, converter)).message)
        case _:
            return None


async def subagent_close(event: HistoryEvent, converter: DataConverter) -> tuple[int, SubagentOutcome]:
    """The event that started a subagent whose workflow gave no outcome, with what its parent keeps of its close."""
    match event.event_type:
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            failed = event.child_workflow_execution_failed_event_attributes
            error = (await decoded_failure(failed.failure, converter)).message
            return failed.initiated_event_id, SubagentOutcome(error=error)
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            return event.child_workflow_execution_canceled_event_attributes.initiated_event_id, CANCELLED_SUBAGENT
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            terminated = event.child_workflow_execution_terminated_event_attributes
            return terminated.initiated_event_id, SubagentOutcome(error="Terminated")
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            timed_out = event.child_workflow_execution_timed_out_event_attributes
            return timed_out.initiated_event_id, SubagentOutcome(error="Timed out")
    raise ValueError(f"event {event.event_id} is no end of a subagent")
