"""Event by event: which entry of the journal a history event is."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError
from spine_core import Guards, StopReason
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel, dump
from spine_temporal.contracts.run_end import Ending, EndInput, EndOutcome, RunOutcome
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.status import StatusRecord
from spine_temporal.contracts.step import StepInput, StepOutcome
from spine_temporal.contracts.tool_call import ToolInput, ToolOutcome
from spine_temporal.errors import BadInput, NotAnAgentRun
from spine_temporal.history.event_reader import Reader, made_by
from spine_temporal.journal.entries import (
    Closed,
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    StepBegun,
    StepDone,
    ToolBegun,
    ToolDone,
)
from spine_temporal.journal.progress import trip

REQUEST = RunRequest(agent="assistant", input="go")
SPEC = AgentSpec(agent="assistant", guards=Guards(), system="be brief")
STEP = StepInput(agent="assistant", head="h0", step=1, elapsed_s=0.5)
TOOL = ToolInput(agent="assistant", head="h1", step=1, index=2, name="find")
END = EndInput(agent="assistant", head="h2", ending=Ending(reason=StopReason.FINAL))


def payloads(model: WireModel) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=dump(model))])


def started(request: WireModel = REQUEST, *, type_: str = names.AGENT_WORKFLOW) -> HistoryEvent:
    event = HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    attributes = event.workflow_execution_started_event_attributes
    attributes.workflow_type.name = type_
    attributes.workflow_id = "spine-s1"
    attributes.input.CopyFrom(payloads(request))
    return event


def marker(name: str = "core_local_activity", **details: WireModel) -> HistoryEvent:
    event = HistoryEvent(event_id=5, event_type=EventType.EVENT_TYPE_MARKER_RECORDED)
    event.marker_recorded_event_attributes.marker_name = name
    for key, value in details.items():
        event.marker_recorded_event_attributes.details[key].CopyFrom(payloads(value))
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


def stood(standing: StatusRecord) -> HistoryEvent:
    event = HistoryEvent(event_id=11, event_type=EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED)
    memo = event.workflow_properties_modified_event_attributes.upserted_memo
    memo.fields[names.STATUS_MEMO].CopyFrom(payloads(standing).payloads[0])
    return event


async def entries(*events: HistoryEvent) -> list[Entry | None]:
    reader = Reader(DataConverter.default)
    return [await reader.read(event) for event in events]


@pytest.mark.parametrize(
    ("activity", "task", "outcome", "begun", "done"),
    [
        (names.STEP_ACTIVITY, STEP, StepOutcome(id="a"), StepBegun(STEP), StepDone(StepOutcome(id="a"))),
        (names.TOOL_ACTIVITY, TOOL, ToolOutcome(id="b"), ToolBegun(TOOL), ToolDone(2, ToolOutcome(id="b"))),
        (names.END_ACTIVITY, END, EndOutcome(id="c"), EndBegun(END), EndDone(EndOutcome(id="c"))),
        ("payroll", STEP, StepOutcome(id="a"), None, None),
    ],
    ids=["step", "tool", "end", "somebody else's"],
)
async def test_activity_begins_and_is_done(
    activity: str, task: WireModel, outcome: WireModel, begun: Entry | None, done: Entry | None
) -> None:
    assert await entries(scheduled(activity, task), completed(outcome)) == [begun, done]


async def test_activities_side_by_side_are_told_apart_by_the_event_that_scheduled_them() -> None:
    other = TOOL.model_copy(update={"index": 0})
    events = [scheduled(names.TOOL_ACTIVITY, TOOL, 7), scheduled(names.TOOL_ACTIVITY, other, 8)]

    told = await entries(*events, completed(ToolOutcome(id="x"), 8), completed(ToolOutcome(id="y"), 7))

    assert told[2:] == [ToolDone(0, ToolOutcome(id="x")), ToolDone(2, ToolOutcome(id="y"))]


async def test_result_of_an_activity_counts_once() -> None:
    done = completed(StepOutcome(id="a"))

    assert (await entries(scheduled(names.STEP_ACTIVITY, STEP), done, done))[2] is None


async def test_run_is_requested_then_opened() -> None:
    told = await entries(started(), marker(result=SPEC))

    assert told == [Requested(REQUEST, "spine-s1"), Opened(REQUEST, "spine-s1", SPEC)]


async def test_session_id_goes_before_the_workflow_id() -> None:
    request = REQUEST.model_copy(update={"session_id": "s9"})

    assert await entries(started(request)) == [Requested(request, "s9")]


@pytest.mark.parametrize("event", [marker("Version", result=SPEC), marker(data=SPEC), marker()])
async def test_marker_that_brings_no_spec_is_temporals_own_business(event: HistoryEvent) -> None:
    assert (await entries(started(), event))[1] is None


async def test_workflow_of_another_type_is_refused() -> None:
    with pytest.raises(NotAnAgentRun, match=r"workflow 'spine-s1' is a 'payroll', not a run of an agent"):
        await entries(started(type_="payroll"))


async def test_run_that_was_started_with_no_request_is_bad_input() -> None:
    with pytest.raises(BadInput, match="spine-s1"):
        await entries(started(SPEC))


async def test_payload_that_is_no_such_model_is_refused() -> None:
    with pytest.raises(ValidationError):
        await entries(scheduled(names.STEP_ACTIVITY, SPEC))


def closed(type_: "EventType.ValueType", fill: Callable[[HistoryEvent], object] = lambda _: None) -> HistoryEvent:
    event = HistoryEvent(event_id=20, event_type=type_)
    fill(event)
    return event


def returned(outcome: RunOutcome) -> HistoryEvent:
    event = HistoryEvent(event_id=20, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
    event.workflow_execution_completed_event_attributes.result.CopyFrom(payloads(outcome))
    return event


def terminated(event: HistoryEvent) -> None:
    event.workflow_execution_terminated_event_attributes.reason = "too dear"


def failed(event: HistoryEvent) -> None:
    event.workflow_execution_failed_event_attributes.failure.message = "no such agent"


def lost(why: str) -> Ending:
    return Ending(reason=StopReason.ERROR, error=why)


@pytest.mark.parametrize(
    ("event", "ending"),
    [
        (
            returned(RunOutcome(reason=StopReason.MAX_STEPS, answer="so far")),
            Ending(reason=StopReason.MAX_STEPS, answer="so far", event="guard_trip"),
        ),
        (returned(RunOutcome(reason=StopReason.ERROR, error="why")), lost("why")),
        (closed(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED), trip(StopReason.CANCELLED)),
        (
            closed(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, terminated),
            lost("the run was terminated: too dear"),
        ),
        (closed(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED), lost("the run was terminated: no reason given")),
        (closed(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT), lost("the run's workflow reached its timeout")),
        (closed(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, failed), lost("no such agent")),
    ],
)
async def test_closed_workflow_says_how_the_run_ended(event: HistoryEvent, ending: Ending) -> None:
    assert await entries(event) == [Closed(ending)]


@pytest.mark.parametrize(
    "type_",
    [
        EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
        EventType.EVENT_TYPE_UNSPECIFIED,
    ],
)
async def test_other_events_are_temporals_own_business(type_: "EventType.ValueType") -> None:
    assert await entries(HistoryEvent(event_type=type_)) == [None]


async def test_what_moves_the_head_is_read_off_what_made_it() -> None:
    going_on = TOOL.model_copy(update={"after": "u1"})
    events = [
        completed(StepOutcome(id="a")),
        stood(StatusRecord(agent="assistant", session_id="s1", number=3)),
        scheduled(names.TOOL_ACTIVITY, going_on),
        scheduled(names.TOOL_ACTIVITY, TOOL),
        scheduled("payroll", going_on),
        started(),
    ]

    made = [await made_by(event, DataConverter.default) for event in events]

    assert made == ["a", "standing 3", "1.2 u1", None, None, None]
