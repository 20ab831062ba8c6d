"""Workflows that closed without an outcome."""

from spine_core import StopReason
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from spine_temporal.contracts.run_end import Ending
from spine_temporal.journal.progress import trip


def broken_off(event: HistoryEvent) -> Ending | None:
    """The ending of a run whose workflow was closed from outside, or failed; None: the event is no such close."""
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
            return trip(StopReason.CANCELLED)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            reason = event.workflow_execution_terminated_event_attributes.reason or "no reason given"
            return Ending(reason=StopReason.ERROR, error=f"the run was terminated: {reason}")
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            return Ending(reason=StopReason.ERROR, error="the run's workflow reached its timeout")
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            failure = event.workflow_execution_failed_event_attributes.failure
            return Ending(reason=StopReason.ERROR, error=failure.message)
        case _:
            return None


def lost_child(event: HistoryEvent) -> tuple[str, str] | None:
    """The workflow id of a child that has no outcome, with why."""
    match event.event_type:
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            failed = event.child_workflow_execution_failed_event_attributes
            return failed.workflow_execution.workflow_id, failed.failure.message
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            canceled = event.child_workflow_execution_canceled_event_attributes
            return canceled.workflow_execution.workflow_id, "Cancelled"
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            terminated = event.child_workflow_execution_terminated_event_attributes
            return terminated.workflow_execution.workflow_id, "Terminated"
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            timed_out = event.child_workflow_execution_timed_out_event_attributes
            return timed_out.workflow_execution.workflow_id, "Timed out"
    return None
