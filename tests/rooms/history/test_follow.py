"""A follower yields what the history says when it is read afterwards, however polls and events interleave."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.enums.v1 import EventType, WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
)
from temporalio.client import Client

from spine_temporal.history.follow import follow

# Of a failed task the server shows these with the ids that real events take later.
TRANSIENT: Final = (EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)
REAL: Final = (
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
    *TRANSIENT,
)
TERMINATED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
CONTINUED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
COMPLETED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
CANCELED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED
CLOSES: Final = (TERMINATED, COMPLETED, CANCELED, CONTINUED)

type Shown = tuple[list[Any], int]
"""The types of the events that are there by the next poll, and how many transient ones are shown behind them."""


@dataclass
class Server:
    """A server whose histories grow with each poll, as the plan says."""

    plans: dict[str, list[Shown]]
    page_size: int
    continued_from: dict[str, str] = field(default_factory=dict)
    reset_to: dict[str, str] = field(default_factory=dict)
    reset_when_terminated: tuple[str, str] | None = None
    """The one that is reset, the one that comes of it, as soon as another is terminated by that."""
    grown: dict[str, list[HistoryEvent]] = field(default_factory=dict)

    async def get_workflow_execution_history(
        self, request: GetWorkflowExecutionHistoryRequest, timeout: object = None
    ) -> GetWorkflowExecutionHistoryResponse:
        run, plan = request.execution.run_id, self.plans[request.execution.run_id]
        there = self.grown.setdefault(run, [])
        types, transient = plan.pop(0) if plan and request.maximum_page_size != 1 else ([], 0)
        if not there:
            started = HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
            continued = self.continued_from.get(run, "")
            started.workflow_execution_started_event_attributes.continued_execution_run_id = continued
            there.append(started)
        for type_ in types:
            there.append(HistoryEvent(event_id=len(there) + 1, event_type=type_))
            if type_ == TERMINATED and self.reset_when_terminated is not None:
                self.reset_to.update([self.reset_when_terminated])
            if type_ == CONTINUED:
                attributes = there[-1].workflow_execution_continued_as_new_event_attributes
                attributes.new_execution_run_id = next(one for one, of in self.continued_from.items() if of == run)
        first = int(request.next_page_token or b"0")
        shown = there[first : first + self.page_size]
        complete = first + len(shown) == len(there)
        closed = there[-1].event_type in CLOSES
        answer = GetWorkflowExecutionHistoryResponse()
        answer.history.events.extend(shown)
        if complete and not closed:
            answer.history.events.extend(
                HistoryEvent(event_id=len(there) + 1 + at, event_type=TRANSIENT[at]) for at in range(transient)
            )
        if not complete or not closed:
            answer.next_page_token = str(first + len(shown)).encode()
        return answer

    async def describe_workflow_execution(self, request: Any) -> DescribeWorkflowExecutionResponse:
        answer = DescribeWorkflowExecutionResponse()
        run = request.execution.run_id or list(self.plans)[-1]
        answer.workflow_execution_info.execution.run_id = run
        answer.workflow_extended_info.reset_run_id = self.reset_to.get(run, "")
        if self.grown.get(run) and self.grown[run][-1].event_type == TERMINATED:
            answer.workflow_execution_info.status = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED
        return answer

    def client(self) -> Client:
        return cast("Client", SimpleNamespace(namespace="default", workflow_service=self))


def plans(last: Any) -> st.SearchStrategy[list[Shown]]:
    growth = st.tuples(st.lists(st.sampled_from(REAL), max_size=4), st.integers(0, 2))
    return st.lists(growth, max_size=8).map(lambda grown: [*grown, ([last], 0)])


async def followed(server: Server, run: str) -> list[tuple[int, Any]]:
    return [
        (event.event_id, event.event_type)
        async for event in follow(server.client(), "spine-x", run)
        if event.event_type not in TRANSIENT
    ]


def kept(server: Server, *runs: str) -> list[tuple[int, Any]]:
    return [
        (event.event_id, event.event_type)
        for run in runs
        for event in server.grown[run]
        if event.event_type not in TRANSIENT
    ]


@pytest.mark.parametrize("page_size", [1, 3, 100])
@given(plan=plans(COMPLETED))
async def test_a_follower_yields_each_real_event_once_whatever_is_shown_meanwhile(
    plan: list[Shown], page_size: int
) -> None:
    server = Server({"first": plan}, page_size)

    assert await followed(server, "first") == kept(server, "first")


@given(before=st.sampled_from((TERMINATED, COMPLETED, CANCELED)).flatmap(plans), after=plans(COMPLETED))
async def test_a_follower_goes_on_in_the_run_that_a_reset_put_in_the_place_of_another(
    before: list[Shown], after: list[Shown]
) -> None:
    server = Server({"first": before, "second": after}, page_size=3, reset_to={"first": "second"})

    told = await followed(server, "first")
    assert told == [*kept(server, "first")[:-1], *kept(server, "second")]


@given(before=plans(TERMINATED), after=plans(CONTINUED), last=plans(COMPLETED))
async def test_a_follower_misses_no_execution_behind_a_reset_that_has_continued_as_new_since(
    before: list[Shown], after: list[Shown], last: list[Shown]
) -> None:
    server = Server(
        {"first": before, "second": after, "third": last},
        page_size=3,
        continued_from={"third": "second"},
        reset_to={"first": "second"},
    )

    assert await followed(server, "first") == [*kept(server, "first")[:-1], *kept(server, "second", "third")]


@pytest.mark.parametrize("start", ["first", "second"])
@given(before=plans(CONTINUED), gone=plans(TERMINATED), after=plans(COMPLETED))
async def test_a_follower_leaves_what_continued_an_execution_that_was_reset(
    start: str, before: list[Shown], gone: list[Shown], after: list[Shown]
) -> None:
    server = Server({"first": before, "second": gone, "third": after}, page_size=3, continued_from={"second": "first"})
    # Whoever reads it live was in the second one when the first was reset.
    server.reset_when_terminated = ("first", "third")

    told = await followed(server, start)
    assert told == [
        *(kept(server, "first") if start == "first" else []),
        *kept(server, "second")[:-1],
        *kept(server, "third"),
    ]


@given(before=plans(TERMINATED))
async def test_a_follower_tells_that_a_run_was_terminated_for_good(before: list[Shown]) -> None:
    server = Server({"first": before}, page_size=3)

    assert await followed(server, "first") == kept(server, "first")
