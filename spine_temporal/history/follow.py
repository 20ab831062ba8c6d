"""A run followed live, by long poll."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistoryEventFilterType
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.errors import RunNotFound, ServerUnreachable

_log = logging.getLogger(__name__)

_PAUSE_S: Final = 1.0
_PATIENCE_S: Final = 300.0
_AWAY: Final = frozenset(
    {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.UNKNOWN}
)
CLOSING: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    }
)


async def follow(
    client: Client, workflow_id: str, run_id: str | None, *, wait: bool = True, only_close: bool = False
) -> AsyncIterator[HistoryEvent]:
    """The events of a run, from the first on. With `wait`, until it closes; else those that there are.

    `only_close` leaves out all but the closing event: whoever only waits costs the server nothing on the way.

    A server that goes away for less than five minutes is waited for.

    Raises:
        RunNotFound: there is no such run.
        ServerUnreachable: the server was away for longer.
    """
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    pages = handle.fetch_history_events(
        wait_new_event=wait,
        event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
        if only_close
        else WorkflowHistoryEventFilterType.ALL_EVENT,
    )
    away_since_s: float | None = None
    while True:
        try:
            await pages.fetch_next_page()
        except RPCError as error:
            away_since_s = away_since_s or time.monotonic()
            await _bear(error, client, workflow_id, away_s=time.monotonic() - away_since_s)
            continue
        away_since_s = None
        for event in pages.current_page or ():
            yield event
            if event.event_type in CLOSING:
                return
        if not pages.next_page_token:
            return


async def closed(client: Client, workflow_id: str, run_id: str | None) -> None:
    """Return when the run has closed; raise what `follow` raises."""
    async for event in follow(client, workflow_id, run_id, only_close=True):
        _log.debug("%s closed with event %d", workflow_id, event.event_id)


async def _bear(error: RPCError, client: Client, workflow_id: str, *, away_s: float) -> None:
    if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
        raise RunNotFound(
            f"no run {workflow_id!r} in namespace {client.namespace!r}; `spine-temporal list` shows the runs there are"
        ) from error
    if error.status not in _AWAY:
        raise error
    address = client.service_client.config.target_host
    if away_s > _PATIENCE_S:
        raise ServerUnreachable(f"the Temporal server at {address} has been away for {away_s:.0f} s") from error
    _log.warning("the Temporal server at %s does not answer (%s); waiting for it", address, error.message)
    await asyncio.sleep(_PAUSE_S)
