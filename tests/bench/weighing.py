"""The weight of a run's history."""

from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory


@dataclass(frozen=True, slots=True)
class Weight:
    """What a run left in the server."""

    events: int
    history_bytes: int
    peak_input_bytes: int
    """The largest input of an activity, all of it."""


async def histories_of(client: Client, workflow_id: str, first_run_id: str) -> list[WorkflowHistory]:
    """The histories of a run, one for each continue-as-new it went through, in order."""
    histories: list[WorkflowHistory] = []
    run_id = first_run_id
    while run_id:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        histories.append(history)
        run_id = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return histories


def weigh(histories: Iterable[WorkflowHistory]) -> Weight:
    """The weight of a run, over all its histories."""
    events = [event for history in histories for event in history.events]
    return Weight(
        events=len(events),
        history_bytes=sum(event.ByteSize() for event in events),
        peak_input_bytes=max(input_bytes(event) for event in events),
    )


def input_bytes(event: HistoryEvent) -> int:
    """The input that `event` gives to an activity; 0 when it schedules none."""
    if not event.HasField("activity_task_scheduled_event_attributes"):
        return 0
    return sum(len(payload.data) for payload in event.activity_task_scheduled_event_attributes.input.payloads)
