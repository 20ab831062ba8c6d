"""A run as the server describes it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from spine_core import StopReason
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal.cli.standing import GOING_ON, standing_in, status_of
from spine_temporal.contracts.run_request import RunRequest
from spine_temporal.history.event_reader import Reader
from spine_temporal.journal.entries import Closed, Entry, Requested

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
    """running, paused (it waits for a decision), idle (it waits for its next turn); suspended (on the server);
    completed, failed, canceled, terminated, timed_out."""
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
    """The run that `info` describes; its input and its ending are read from the first and the last event."""
    standing = await standing_in(info, client.data_converter)
    status = status_of(info, standing)
    request, closed = await asyncio.gather(
        _request(client, info),
        _closed(client, info) if status not in GOING_ON else _nothing(),
    )
    workflow_id = info.execution.workflow_id
    return Seen(
        id=(standing and standing.session_id) or (request and request.session_id) or workflow_id,
        workflow_id=workflow_id,
        run_id=info.execution.run_id,
        agent=standing.agent if standing else request.agent if request else "?",
        input=(request and request.input) or "",
        status=status,
        reason=closed.ending.reason if closed is not None else None,
        started=_time(info.start_time),
        closed=_time(info.close_time) if info.HasField("close_time") else None,
        events=info.history_length,
        bytes=info.history_size_bytes,
        task_queue=info.task_queue,
    )


async def _request(client: Client, info: WorkflowExecutionInfo) -> RunRequest | None:
    event = await _event(client, info.execution, _ALL_EVENTS)
    read = await _entry(client, event)
    request = read.request if isinstance(read, Requested) else None
    if event is None or request is None or request.carried is None:
        return request
    # What the user said first, the execution knows that this one continues, as long as the server keeps it.
    first_run_id = event.workflow_execution_started_event_attributes.first_execution_run_id
    first = WorkflowExecution(workflow_id=info.execution.workflow_id, run_id=first_run_id)
    try:
        read = await _entry(client, await _event(client, first, _ALL_EVENTS))
    except RPCError:
        return request
    return read.request if isinstance(read, Requested) else request


async def _closed(client: Client, info: WorkflowExecutionInfo) -> Closed | None:
    read = await _entry(client, await _event(client, info.execution, _LAST_EVENT))
    return read if isinstance(read, Closed) else None


async def _event(
    client: Client, execution: WorkflowExecution, which: "HistoryEventFilterType.ValueType"
) -> HistoryEvent | None:
    request = GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace, execution=execution, maximum_page_size=1, history_event_filter_type=which
    )
    answer = await client.workflow_service.get_workflow_execution_history(request)
    return next(iter(answer.history.events), None)


async def _entry(client: Client, event: HistoryEvent | None) -> Entry | None:
    try:
        return await Reader(client.data_converter).read(event) if event is not None else None
    except ValueError:
        # Written by hand and wrong, or by a codec that this client does not have: the run can still be listed.
        return None


async def _nothing() -> None:
    return None


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
