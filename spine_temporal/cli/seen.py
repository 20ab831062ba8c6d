"""A run as the server describes it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import ValidationError
from spine_core import StopReason
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import HistoryEventFilterType, WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client

from spine_temporal.history.reader import Reader
from spine_temporal.journal.entries import Closed, Entry, Requested

# The protocol's own enum: the SDK's has no name for a workflow that is paused, and raises when it meets one.
_STATUS: Final = {
    number: name.removeprefix("WORKFLOW_EXECUTION_STATUS_").lower() for name, number in WorkflowExecutionStatus.items()
}
GOING_ON: Final = ("running", "paused")

_ALL_EVENTS: Final = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
_LAST_EVENT: Final = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server knows of one run."""

    id: str
    workflow_id: str
    run_id: str
    agent: str
    input: str
    status: str
    """Temporal's word: running, paused, completed, failed, canceled, terminated, timed_out."""
    reason: StopReason | None
    """Why it stopped, in the kernel's words; None while it goes on."""
    started: datetime
    closed: datetime | None
    events: int
    bytes: int
    task_queue: str

    @property
    def going_on(self) -> bool:
        """Whether it has not ended."""
        return self.status in GOING_ON

    @property
    def took_s(self) -> float:
        """Seconds from its start to its end, or until now."""
        return ((self.closed or datetime.now(UTC)) - self.started).total_seconds()


async def see(client: Client, info: WorkflowExecutionInfo) -> Seen:
    """The run that `info` describes; its agent and its ending are read from the first and the last event."""
    status = _STATUS.get(info.status, f"status {info.status}")
    requested, closed = await asyncio.gather(
        _read(client, info.execution, _ALL_EVENTS),
        _read(client, info.execution, _LAST_EVENT) if status not in GOING_ON else _nothing(),
    )
    workflow_id = info.execution.workflow_id
    return Seen(
        id=requested.session_id if isinstance(requested, Requested) else workflow_id,
        workflow_id=workflow_id,
        run_id=info.execution.run_id,
        agent=requested.request.agent if isinstance(requested, Requested) else "?",
        input=requested.request.input or "" if isinstance(requested, Requested) else "",
        status=status,
        reason=closed.ending.reason if isinstance(closed, Closed) else None,
        started=_time(info.start_time),
        closed=_time(info.close_time) if info.HasField("close_time") else None,
        events=info.history_length,
        bytes=info.history_size_bytes,
        task_queue=info.task_queue,
    )


async def _read(
    client: Client, execution: WorkflowExecution, which: "HistoryEventFilterType.ValueType"
) -> Entry | None:
    request = GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace, execution=execution, maximum_page_size=1, history_event_filter_type=which
    )
    answer = await client.workflow_service.get_workflow_execution_history(request)
    try:
        return await Reader(client.data_converter).read(answer.history.events[0])
    except (ValidationError, IndexError):
        # Written by hand and wrong, or by a codec that this client does not have: the run can still be listed.
        return None


async def _nothing() -> None:
    return None


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
