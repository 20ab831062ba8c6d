"""History events, made by hand, and the entries that the reader makes of them."""

import json

from spine_core import Guards, StopReason
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel, dump
from spine_temporal.contracts.run_end import Ending, EndInput
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.step import StepInput
from spine_temporal.contracts.tool_call import ToolInput
from spine_temporal.history.event_reader import EventReader
from spine_temporal.journal.entries import Entry

REQUEST = RunRequest(agent="assistant", input="go")
SPEC = AgentSpec(agent="assistant", guards=Guards(), system="be brief")
STEP = StepInput(revision="r0", step=1, elapsed_s=0.5)
TOOL = ToolInput(revision="r1", step=1, index=2, name="find")
END = EndInput(revision="r2", ending=Ending(reason=StopReason.FINAL))


def payloads(model: WireModel) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=dump(model))])


def started(request: WireModel = REQUEST, *, type_: str = names.AGENT_WORKFLOW) -> HistoryEvent:
    event = HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    attributes = event.workflow_execution_started_event_attributes
    attributes.workflow_type.name = type_
    attributes.workflow_id = "spine-s1"
    attributes.input.CopyFrom(payloads(request))
    return event


def marker(
    result: WireModel | None = None,
    *,
    name: str = "core_local_activity",
    activity: str = names.OPEN_ACTIVITY,
    activity_id: str = "1",
) -> HistoryEvent:
    """A local activity, as the SDK's core records it."""
    event = HistoryEvent(event_id=5, event_type=EventType.EVENT_TYPE_MARKER_RECORDED)
    attributes = event.marker_recorded_event_attributes
    attributes.marker_name = name
    local = {"activity_id": activity_id, "activity_type": activity}
    attributes.details["data"].CopyFrom(Payloads(payloads=[Payload(data=json.dumps(local).encode())]))
    if result is not None:
        attributes.details["result"].CopyFrom(payloads(result))
    return event


def scheduled(activity: str, task: WireModel, event_id: int = 7) -> HistoryEvent:
    event = HistoryEvent(event_id=event_id, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    event.activity_task_scheduled_event_attributes.activity_type.name = activity
    event.activity_task_scheduled_event_attributes.input.CopyFrom(payloads(task))
    return event


def completed(result: WireModel, scheduled_id: int = 7) -> HistoryEvent:
    event = HistoryEvent(event_id=9, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    event.activity_task_completed_event_attributes.scheduled_event_id = scheduled_id
    event.activity_task_completed_event_attributes.result.CopyFrom(payloads(result))
    return event


def memo(name: str, value: WireModel) -> HistoryEvent:
    event = HistoryEvent(event_id=11, event_type=EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED)
    upserted = event.workflow_properties_modified_event_attributes.upserted_memo
    upserted.fields[name].CopyFrom(payloads(value).payloads[0])
    return event


def accepted(name: str, request: WireModel, update_id: str = "u1") -> HistoryEvent:
    event = HistoryEvent(event_id=12, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
    accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request
    accepted.meta.update_id = update_id
    accepted.input.name = name
    accepted.input.args.CopyFrom(payloads(request))
    return event


def answered(result: WireModel | None, update_id: str = "u1") -> HistoryEvent:
    """The update's end; None: it failed."""
    event = HistoryEvent(event_id=13, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
    completed = event.workflow_execution_update_completed_event_attributes
    completed.meta.update_id = update_id
    if result is None:
        completed.outcome.failure.message = "refused"
    else:
        completed.outcome.success.CopyFrom(payloads(result))
    return event


def signaled(name: str, argument: WireModel | None = None) -> HistoryEvent:
    event = HistoryEvent(event_id=14, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    event.workflow_execution_signaled_event_attributes.signal_name = name
    if argument is not None:
        event.workflow_execution_signaled_event_attributes.input.CopyFrom(payloads(argument))
    return event


async def entries(*events: HistoryEvent, midway: bool = False) -> list[Entry | None]:
    reader = EventReader(DataConverter.default, midway=midway)
    return [await reader.read(event) for event in events]
