"""An older ledger brought up to date from the end of the history."""

from collections.abc import AsyncIterator
from typing import Final

from pydantic import ValidationError
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.contracts import names
from spine_temporal.contracts.base import Basis, load
from spine_temporal.history.event_reader import MissedItsBeginning
from spine_temporal.history.fold import Fold
from spine_temporal.history.ordered import Ordered
from spine_temporal.history.patience import PASSING
from spine_temporal.history.payloads import payload_bytes
from spine_temporal.journal.ledger import Ledger

_PAGE_EVENTS: Final = 24
# About eight steps; beyond that a fold from the start costs little more.
_MAX_PAGES: Final = 4

# The time-skipping test server reads forwards only; what may be answered later is waited for by who folds.
_LEFT_TO_THE_FOLD: Final = PASSING | {RPCStatusCode.UNIMPLEMENTED}


async def catch_up(client: Client, run: tuple[str, str], ledger: Ledger, revision: str) -> Ledger | None:
    """The ledger of `run` (workflow id, run id) at `revision`, from an older one and the history's last events.

    `ledger` is one that an activity of this worker started from. None when it is too old, or when what has happened
    since cannot be understood without what was before it.
    """
    since = await _since(client, run, ledger.progress.revision)
    if since is None:
        return None
    ordered = Ordered(settled=ledger, ledger=ledger, wanted=revision)
    fold = Fold(client.data_converter, ordered, midway=True)
    try:
        for event in since:
            await fold.feed(event)
            if ordered.found is not None:
                return ordered.found
    except MissedItsBeginning:
        return None
    return None


async def _since(client: Client, run: tuple[str, str], revision: str) -> list[HistoryEvent] | None:
    """The events from the record on that was written at that revision."""
    events: list[HistoryEvent] = []
    try:
        async for event in _backwards(client, run):
            events.append(event)
            if await _revision_of(client, event) == revision:
                return events[::-1]
    except RPCError as error:
        if error.status not in _LEFT_TO_THE_FOLD:
            raise
    return None


async def _revision_of(client: Client, event: HistoryEvent) -> str | None:
    """The revision that a record was written at; None: the event is no such record."""
    if event.HasField("activity_task_scheduled_event_attributes"):
        written = event.activity_task_scheduled_event_attributes.input
    elif event.HasField("workflow_properties_modified_event_attributes"):
        memo = event.workflow_properties_modified_event_attributes.upserted_memo.fields
        written = Payloads(payloads=[memo[name] for name in (names.STATUS_MEMO, names.EXPIRED_MEMO) if name in memo])
    else:
        return None
    try:
        return load(Basis, await payload_bytes(written, client.data_converter)).revision or None
    except ValidationError:
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
