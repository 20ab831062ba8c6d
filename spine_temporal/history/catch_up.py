"""An older ledger brought up to date from the end of the history."""

from collections.abc import AsyncIterator
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.history.event_reader import MissedItsBeginning, made_by
from spine_temporal.history.fold import Fold
from spine_temporal.journal.ledger import Ledger

_PAGE_EVENTS: Final = 24
# About eight steps; beyond that a fold from the start costs little more.
_MAX_PAGES: Final = 4


async def catch_up(client: Client, run: tuple[str, str], ledger: Ledger, head: str) -> Ledger | None:
    """The ledger of `run` (workflow id, run id) with that `head`, from an older one and the history's last events.

    None when the older one is too old, or was never part of the history, or when something was at work at its head.
    """
    missed = await _since(client, run, ledger.progress.last)
    if missed is None:
        return None
    fold = Fold(client.data_converter, ledger=ledger, midway=True)
    for event in missed:
        if fold.ledger.progress.head == head:
            break
        known = {fold.ledger.progress.turn, *(queued.turn for queued in fold.ledger.queue)}
        try:
            await fold.feed(event)
        except MissedItsBeginning:
            return None
        if fold.ledger.progress.turn not in known:
            # The user said it while something was at work: the ledger went on from there without.
            return None
    return fold.ledger if fold.ledger.progress.head == head else None


async def _since(client: Client, run: tuple[str, str], last: str) -> list[HistoryEvent] | None:
    """The events after the one that made the head what it was."""
    events: list[HistoryEvent] = []
    try:
        async for event in _backwards(client, run):
            if await made_by(event, client.data_converter) == last:
                return events[::-1]
            events.append(event)
    except RPCError as error:
        # The time-skipping test server reads forwards only.
        if error.status is not RPCStatusCode.UNIMPLEMENTED:
            raise
    return None


async def _backwards(client: Client, run: tuple[str, str]) -> AsyncIterator[HistoryEvent]:
    workflow_id, run_id = run
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        maximum_page_size=_PAGE_EVENTS,
    )
    for _ in range(_MAX_PAGES):
        page = await client.workflow_service.get_workflow_execution_history_reverse(request)
        for event in page.history.events:
            yield event
        if not page.next_page_token:
            return
        request.next_page_token = page.next_page_token
