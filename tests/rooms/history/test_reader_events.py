"""Event by event: which entry of the journal a history event is."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError
from spine_core import StopReason
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from spine_temporal.contracts import names
from spine_temporal.contracts.base import WireModel
from spine_temporal.contracts.continuation import CarryOver
from spine_temporal.contracts.run_end import Ending, EndOutcome, RunOutcome
from spine_temporal.contracts.step import StepOutcome
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.errors import BadInput, NotAnAgentRun
from spine_temporal.journal.counters import stopped_by_guard
from spine_temporal.journal.entries import (
    Closed,
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    SpecRefreshed,
    StepBegun,
    StepDone,
    ToolBegun,
    ToolDone,
)
from tests.rooms.history.events import (
    END,
    REQUEST,
    SPEC,
    STEP,
    TOOL,
    completed,
    entries,
    marker,
    payloads,
    scheduled,
    started,
)


@pytest.mark.parametrize(
    ("activity", "task", "outcome", "begun", "done"),
    [
        (names.STEP_ACTIVITY, STEP, StepOutcome(id="a"), StepBegun(STEP), StepDone(StepOutcome(id="a"))),
        (names.TOOL_ACTIVITY, TOOL, ToolOutcome(id="b"), ToolBegun(TOOL), ToolDone(1, 2, ToolOutcome(id="b"))),
        (names.END_ACTIVITY, END, EndOutcome(id="c"), EndBegun(END), EndDone(EndOutcome(id="c"))),
        ("payroll", STEP, StepOutcome(id="a"), None, None),
    ],
    ids=["step", "tool", "end", "another program's"],
)
async def test_activity_begins_and_is_done(
    activity: str, task: WireModel, outcome: WireModel, begun: Entry | None, done: Entry | None
) -> None:
    assert await entries(scheduled(activity, task), completed(outcome)) == [begun, done]


async def test_activities_side_by_side_are_matched_by_the_event_that_scheduled_them() -> None:
    other = TOOL.model_copy(update={"index": 0})
    events = [scheduled(names.TOOL_ACTIVITY, TOOL, 7), scheduled(names.TOOL_ACTIVITY, other, 8)]

    read = await entries(*events, completed(ToolOutcome(id="x"), 8), completed(ToolOutcome(id="y"), 7))

    assert read[2:] == [ToolDone(1, 0, ToolOutcome(id="x")), ToolDone(1, 2, ToolOutcome(id="y"))]


async def test_result_of_an_activity_counts_once() -> None:
    done = completed(StepOutcome(id="a"))

    assert (await entries(scheduled(names.STEP_ACTIVITY, STEP), done, done))[2] is None


async def test_run_is_requested_then_opened() -> None:
    read = await entries(started(), marker(SPEC))

    assert read == [Requested(REQUEST, "spine-s1"), Opened("1", SPEC, input="go")]


async def test_spec_of_an_opened_run_is_a_refreshed_one() -> None:
    refreshed = marker(SPEC, activity=names.SPEC_ACTIVITY, activity_id="4")

    read = await entries(started(), marker(SPEC), refreshed)

    assert read[2] == SpecRefreshed("4", SPEC)


async def test_execution_that_continues_another_one_is_opened_already() -> None:
    carried = CarryOver(run_id="r1", turn_run_id="r1")

    read = await entries(started(REQUEST.model_copy(update={"carried": carried})), marker(SPEC))

    assert read[1] == SpecRefreshed("1", SPEC)


async def test_session_id_goes_before_the_workflow_id() -> None:
    request = REQUEST.model_copy(update={"session_id": "s9"})

    assert await entries(started(request)) == [Requested(request, "s9")]


@pytest.mark.parametrize("event", [marker(SPEC, name="Version"), marker(), marker(SPEC, activity="payroll")])
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
        (closed(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED), stopped_by_guard(StopReason.CANCELLED)),
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
