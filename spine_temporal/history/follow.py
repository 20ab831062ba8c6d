"""A run followed live, by long poll, through all the executions it continues in."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, HistoryEventFilterType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.errors import RunNotFound, ServerUnreachable
from spine_temporal.history.patience import AWAY, Patience

_PAUSE_S: Final = 1.0
# A server answers a long poll after 20 s at the latest, with nothing if there is nothing.
_POLL_S: Final = 60
# A server cuts a page off at a thousand events, or four megabytes; by its settings, sooner.
_MANY_EVENTS: Final = 200
_LARGE_BYTES: Final = 500_000
CLOSING: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    }
)
_TERMINATED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
_CONTINUED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
# Of a task that failed or timed out the server shows events that are not in the history yet: the next real ones take
# their ids. Nothing that is read here depends on these.
_PASSING: Final = frozenset({EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED})
_ALL: Final = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
_CLOSE: Final = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT

type Pace = Callable[[bool], Awaitable[None]]
"""Called when all that came has been passed on; True: the server may have cut it off, so that there is more already."""


async def follow(
    client: Client,
    workflow_id: str,
    run_id: str | None,
    *,
    wait: bool = True,
    onward: bool = True,
    latest: str | None = None,
    on_execution: Callable[[str], None] | None = None,
    pace: Pace | None = None,
) -> AsyncIterator[HistoryEvent]:
    """The events of a run, from the first one of that execution on: until it closes, or without `wait` those there are.

    An execution that continues as new is followed into the next one, and one that was reset into the one that took
    its place, unless `onward` is False; of the one that was reset, the close is left out. `run_id` None means the
    latest. `on_execution` is called with the run id of each, before its first event. `latest` was the latest execution
    a moment ago: if it came to an end of its own, that is not held against a reset in this very moment. `pace` is
    awaited before the server is asked.

    A server that is away, or refuses the request, for less than five minutes is waited for.

    Raises:
        RunNotFound: there is no such run.
        ServerUnreachable: the server was away, or refused the request, for longer.
    """
    while run_id is not None or (run_id := await latest_run_id(client, workflow_id)):
        following: str | None = None
        if on_execution is not None:
            on_execution(run_id)
        async for event in _execution(client, workflow_id, run_id, wait=wait, pace=pace):
            if event.event_type not in CLOSING and event.event_type != _CONTINUED:
                yield event
                continue
            asked = onward and (run_id != latest or event.event_type == _TERMINATED)
            following = await reset_to(client, workflow_id, run_id) if asked else None
            if following is None:
                yield event
                following = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id or None
            break
        if following is None or not onward:
            return
        run_id = following


async def _execution(
    client: Client, workflow_id: str, run_id: str, *, wait: bool, pace: Pace | None
) -> AsyncIterator[HistoryEvent]:
    request, last_id, page = _request(client, workflow_id, run_id, wait=wait), 0, None
    while True:
        if pace is not None:
            await pace(_is_large(page))
        page = await _page(client, request)
        for event in page.history.events if page is not None else ():
            if event.event_id <= last_id:
                continue
            if event.event_type not in _PASSING:
                last_id = event.event_id
            yield event
        if page is not None and page.next_page_token:
            request.next_page_token = page.next_page_token
        elif wait:
            # The time-skipping test server has no such tokens, and waits for news before it tells what there is.
            request.wait_new_event = not request.wait_new_event
        else:
            return


def _is_large(page: GetWorkflowExecutionHistoryResponse | None) -> bool:
    """Whether the server may have cut it off; where it did not, asking once more costs a request."""
    return page is not None and (len(page.history.events) >= _MANY_EVENTS or page.ByteSize() >= _LARGE_BYTES)


async def close_event(client: Client, workflow_id: str, run_id: str) -> HistoryEvent | None:
    """The event that closed an execution; None: it is still open after one long poll.

    A server lets who asks for this event alone wait for it, whatever the request says of waiting.

    Raises:
        RunNotFound: there is no such execution.
        ServerUnreachable: the server was away, or refused the request, for more than five minutes.
    """
    request = _request(client, workflow_id, run_id, wait=True)
    request.history_event_filter_type = _CLOSE
    page = await _page(client, request)
    closing = [each for each in page.history.events if each.event_type in CLOSING | {_CONTINUED}] if page else []
    return closing[-1] if closing else None


async def when_closed(client: Client, workflow_id: str, run_id: str) -> HistoryEvent:
    """The event that closed an execution, as soon as it is closed.

    Raises what `close_event` raises.
    """
    while True:
        asked_s = time.monotonic()
        event = await close_event(client, workflow_id, run_id)
        if event is not None:
            return event
        # A server that says so without having waited is not asked again at once.
        await asyncio.sleep(asked_s + _PAUSE_S - time.monotonic())


async def reset_to(client: Client, workflow_id: str, run_id: str) -> str | None:
    """The execution that took the place of a closed one by a reset; None: it was not reset.

    However it had closed: what is over can be reset, too. With an execution that had continued as new, the one that
    continued it is gone: a server terminates that one.
    """
    at = run_id
    try:
        while at:
            described = await describe(client, workflow_id, at)
            if described.workflow_extended_info.reset_run_id:
                return str(described.workflow_extended_info.reset_run_id)
            if at == run_id and not await _may_be_gone(client, described):
                return None
            at = await _continued_from(client, workflow_id, at)
    except RunNotFound:
        # What was before it is no longer on the server.
        return None
    return None


async def _may_be_gone(client: Client, described: DescribeWorkflowExecutionResponse) -> bool:
    info = described.workflow_execution_info
    terminated = info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED
    # Whatever is reset, the execution that comes of it is later.
    return terminated and await latest_run_id(client, info.execution.workflow_id) != info.execution.run_id


async def _continued_from(client: Client, workflow_id: str, run_id: str) -> str:
    """The execution that an execution continues; empty: it is the first."""
    started = (await first_event(client, workflow_id, run_id)).workflow_execution_started_event_attributes
    return str(started.continued_execution_run_id)


async def first_event(client: Client, workflow_id: str, run_id: str | None) -> HistoryEvent:
    """The event that began an execution; of the latest one, if `run_id` is None.

    Raises:
        RunNotFound: there is no such execution.
        ServerUnreachable: the server was away, or refused the request, for more than five minutes.
    """
    request = _request(client, workflow_id, run_id or "", wait=False)
    request.maximum_page_size = 1
    page = await _page(client, request)
    if page is None:
        raise ServerUnreachable(f"the Temporal server did not answer in {_POLL_S} s what began {workflow_id!r}")
    return page.history.events[0]


async def latest_run_id(client: Client, workflow_id: str) -> str:
    """The latest execution of a workflow.

    Raises:
        RunNotFound: there is no such workflow.
        ServerUnreachable: the server was away, or refused the request, for more than five minutes.
    """
    described = await describe(client, workflow_id)
    return described.workflow_execution_info.execution.run_id


async def describe(client: Client, workflow_id: str, run_id: str = "") -> DescribeWorkflowExecutionResponse:
    """What the server says of an execution of a workflow; without a `run_id` of the latest.

    Raises:
        RunNotFound: there is no such workflow.
        ServerUnreachable: the server was away, or refused the request, for more than five minutes.
    """
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    )
    patience = Patience(client, workflow_id)
    while True:
        try:
            return await client.workflow_service.describe_workflow_execution(request)
        except RPCError as error:
            await patience.wait(error)


def _request(client: Client, workflow_id: str, run_id: str, *, wait: bool) -> GetWorkflowExecutionHistoryRequest:
    return GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        wait_new_event=wait,
        history_event_filter_type=_ALL,
        skip_archival=wait,
    )


async def _page(
    client: Client, request: GetWorkflowExecutionHistoryRequest
) -> GetWorkflowExecutionHistoryResponse | None:
    """The next events; None: none came in the time that a server gives a long poll."""
    patience = Patience(client, request.execution.workflow_id)
    while True:
        try:
            return await client.workflow_service.get_workflow_execution_history(
                request, timeout=timedelta(seconds=_POLL_S)
            )
        except RPCError as error:
            if error.status is RPCStatusCode.DEADLINE_EXCEEDED and request.wait_new_event:
                return None
            await patience.wait(error)
            if error.status in AWAY and request.wait_new_event and not request.next_page_token:
                # What there is by now is asked for without waiting for news of it.
                return None
