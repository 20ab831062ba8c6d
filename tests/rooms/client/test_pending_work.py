"""What a run is doing now, in words."""

from typing import Any, cast

import pytest
from spine_core import ToolCall
from temporalio.api.common.v1 import ActivityType
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from spine_temporal.client.pending_work import PendingWork, StepInHand, SubagentAtWork, pending_work
from spine_temporal.contracts import names

_NO_SERVER = cast("Any", None)
_STEP = StepInHand(
    calls=[ToolCall(id="call_0", name="pay", arguments={"amount": 5})],
    subagents=[
        SubagentAtWork("3.0", "boss/researcher", paused=False),
        SubagentAtWork("3.1", "boss/writer", paused=True),
    ],
)


@pytest.mark.parametrize(
    ("activity", "id_", "what"),
    [
        (names.STEP_ACTIVITY, "3", "step 3: asking the model"),
        (names.TOOL_ACTIVITY, "3.0", "step 3: pay(amount=5)"),
        (names.TOOL_ACTIVITY, "3.0 6f1e", "step 3: pay(amount=5)"),
        (names.TOOL_ACTIVITY, "3.7", "activity spine.tool 3.7"),
        (names.END_ACTIVITY, "end 2", "the hooks of on_run_end"),
        (names.RESTORE_ACTIVITY, "restore 0", "bringing the conversation back"),
        (names.MIRROR_ACTIVITY, "mirror 4", "writing turn 4 to the agent's checkpoint backend"),
        (
            names.SUBAGENT_ACTIVITY,
            "look 3.5 1a2b3c",
            "looking whether the agent on call 3.5 is over",
        ),
        ("spine.new", "7", "activity spine.new 7"),
    ],
)
async def test_each_activity_has_its_words(activity: str, id_: str, what: str) -> None:
    work = await pending_work(_NO_SERVER, described((activity, id_)), _STEP, "running")

    assert work[0].what == what


async def test_agents_at_work_are_named_once() -> None:
    work = await pending_work(_NO_SERVER, described((names.SUBAGENT_ACTIVITY, "look 3.0 1a2b3c")), _STEP, "running")

    assert [each.what for each in work] == [
        "agent boss/researcher works on call 3.0",
        "agent boss/writer works on call 3.1: it waits for a decision",
    ]
    alone = await pending_work(_NO_SERVER, described(), _STEP, "running")
    assert alone[0] == PendingWork(what="agent boss/researcher works on call 3.0", state="running")


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("paused", ["the run waits for a decision"]),
        ("idle", ["the session waits for its next turn"]),
        ("suspended", ["the workflow was paused on the server"]),
        ("running", []),
    ],
)
async def test_a_run_with_nothing_in_flight_names_what_it_waits_for(status: str, what: list[str]) -> None:
    assert [each.what for each in await pending_work(_NO_SERVER, described(), StepInHand(), status)] == what


def described(*activities: tuple[str, str]) -> DescribeWorkflowExecutionResponse:
    pending = [PendingActivityInfo(activity_id=id_, activity_type=ActivityType(name=name)) for name, id_ in activities]
    return DescribeWorkflowExecutionResponse(pending_activities=pending)
