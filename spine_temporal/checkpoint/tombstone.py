"""The history of one workflow, whole, as the checkpoint store looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from spine_temporal.contracts import names
from spine_temporal.errors import unreachable


@contextmanager
def reaching(client: Client) -> Iterator[None]:
    """Turns the SDK's error into ours when no server answers the calls in the body."""
    try:
        yield
    except RPCError as error:
        if error.status is not RPCStatusCode.UNAVAILABLE:
            raise
        raise unreachable(client.service_client.config.target_host, error.message) from error


async def events_of(client: Client, workflow_id: str) -> list[HistoryEvent]:
    """The events of its latest execution; none when there is no such workflow."""
    handle: WorkflowHandle[object, object] = client.get_workflow_handle(workflow_id)
    try:
        return [event async for event in handle.fetch_history_events()]
    except RPCError as error:
        # Also in the middle of the pages, when it is being deleted: half a history is none.
        if error.status is RPCStatusCode.NOT_FOUND:
            return []
        raise


def type_of(events: list[HistoryEvent]) -> str:
    """The name of the workflow's type."""
    return events[0].workflow_execution_started_event_attributes.workflow_type.name


def deletes(event: HistoryEvent) -> bool:
    """It closed the workflow because its session was deleted."""
    return event.workflow_execution_terminated_event_attributes.reason == names.DELETED
