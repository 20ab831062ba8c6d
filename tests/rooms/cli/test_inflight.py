"""What a run is doing now, in words."""

from typing import Any, cast

import pytest
from spine_core import ToolCall
from temporalio.api.common.v1 import ActivityType
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from spine_temporal.cli.inflight import InFlight, in_flight
from spine_temporal.contracts import names
from spine_temporal.journal.ledger import Child, Ledger

_NO_SERVER = cast("Any", None)
_LEDGER = Ledger(
    calls=(ToolCall(id="call_0", name="pay", arguments={"amount": 5}),),
    children={
        "3.0": Child("3.0", "spine-a/3.0", "boss/researcher"),
        "3.1": Child("3.1", "spine-a/3.1", "boss/writer", status="paused"),
        "3.2": Child("3.2", "spine-a/3.2", "boss/editor", over=True),
    },
)


@pytest.mark.parametrize(
    ("activity", "id_", "said"),
    [
        (names.STEP_ACTIVITY, "3", "step 3: asking the model"),
        (names.TOOL_ACTIVITY, "3.0", "step 3: pay(amount=5)"),
        (names.TOOL_ACTIVITY, "3.0 6f1e", "step 3: pay(amount=5)"),
        (names.TOOL_ACTIVITY, "3.7", "activity spine.tool 3.7"),
        (names.END_ACTIVITY, "end 2", "the hooks of on_run_end"),
        (names.RESTORE_ACTIVITY, "restore 0", "bringing the conversation back"),
        (names.MIRROR_ACTIVITY, "mirror 4", "writing turn 4 to the agent's checkpoint backend"),
        (
            names.WATCH_ACTIVITY,
            "watch 3.0",
            "waits for agent boss/researcher, begun by an execution before this one",
        ),
        ("spine.new", "7", "activity spine.new 7"),
    ],
)
async def test_each_activity_has_its_words(activity: str, id_: str, said: str) -> None:
    told = await in_flight(_NO_SERVER, described((activity, id_)), _LEDGER, "running")

    assert told[0].what == said


async def test_agents_at_work_are_told_once_those_that_are_over_not_at_all() -> None:
    told = await in_flight(_NO_SERVER, described((names.WATCH_ACTIVITY, "watch 3.0")), _LEDGER, "running")

    assert [each.told() for each in told[1:]] == ["agent boss/writer works on call 3.1: it waits for a decision"]
    alone = await in_flight(_NO_SERVER, described(), _LEDGER, "running")
    assert alone[0] == InFlight("agent boss/researcher works on call 3.0", "running")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("paused", ["the run waits for a decision"]),
        ("idle", ["the session waits for its next turn"]),
        ("suspended", ["the workflow was paused on the server"]),
        ("running", []),
        ("completed", []),
    ],
)
async def test_a_run_with_nothing_in_flight_says_what_it_waits_for(status: str, said: list[str]) -> None:
    assert [each.told() for each in await in_flight(_NO_SERVER, described(), Ledger(), status)] == said


def described(*activities: tuple[str, str]) -> DescribeWorkflowExecutionResponse:
    pending = [PendingActivityInfo(activity_id=id_, activity_type=ActivityType(name=name)) for name, id_ in activities]
    return DescribeWorkflowExecutionResponse(pending_activities=pending)
