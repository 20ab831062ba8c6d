"""What outlasts a worker that lives for a short time, as a table."""

import pytest
from spine_core import Agent, ToolCall, tool
from spine_core.testing import ScriptedProvider, text

from spine_temporal import durable
from spine_temporal.activities.planned import planned_calls
from spine_temporal.agents.longest import Lifetime, lifetime, too_long, within
from spine_temporal.contracts.policies import ActivityPolicy
from spine_temporal.errors import BadInput

SHORT = Lifetime(593.0)


@pytest.mark.parametrize(
    ("policy", "lifetime", "timeout_s"),
    [
        (ActivityPolicy(timeout_s=3600), None, 3600),
        (ActivityPolicy(timeout_s=3600), SHORT, 593),
        (ActivityPolicy(timeout_s=60), SHORT, 60),
        (ActivityPolicy(timeout_s=3600, task_queue="gpu"), SHORT, 3600),
    ],
)
def test_policy_of_an_agent_is_held_within_the_life_of_its_workers(
    policy: ActivityPolicy, lifetime: Lifetime | None, timeout_s: float
) -> None:
    assert within(policy, lifetime) == policy.model_copy(update={"timeout_s": timeout_s})


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        (ActivityPolicy(timeout_s=593), False),
        (ActivityPolicy(timeout_s=594), True),
        (ActivityPolicy(timeout_s=3600, task_queue="gpu"), False),
    ],
)
def test_call_that_outlasts_the_worker_is_refused_unless_it_has_a_queue(
    policy: ActivityPolicy, *, refused: bool
) -> None:
    assert bool(too_long("render", policy, SHORT)) is refused


def test_refusal_names_the_queue_to_move_the_tool_to() -> None:
    refusal = too_long("render", ActivityPolicy(timeout_s=3600), Lifetime(593.0, "tools"))

    assert "it may take 3600 s, and a worker lives for 593 s here" in refusal
    assert refusal.endswith("@durable(task_queue='tools')")


def test_queue_for_what_takes_longer_needs_to_know_than_what() -> None:
    assert lifetime(None, None) is None
    assert lifetime(593.0, "tools") == Lifetime(593.0, "tools")
    with pytest.raises(BadInput, match="longer_activities_task_queue='tools' is for what takes longer than longest_"):
        lifetime(None, "tools")


def test_plan_refuses_one_call_and_leaves_the_others() -> None:
    @durable(timeout_s=1800)
    @tool(approve=True)
    async def render() -> None:
        """Render."""

    @durable(timeout_s=1800, task_queue="gpu")
    @tool
    async def train() -> None:
        """Train."""

    @tool
    async def look() -> None:
        """Look."""

    agent = Agent(ScriptedProvider(text("")), tools=[render, train, look])
    asked = [ToolCall(id=str(at), name=name, arguments={}) for at, name in enumerate(["render", "train", "look"])]
    default = ActivityPolicy(timeout_s=60)

    planned = planned_calls(agent, asked, default, lifetime=SHORT)

    assert [bool(call.refused) for call in planned] == [True, False, False]
    assert not planned[0].approve
    assert planned_calls(agent, asked, default)[0].approve
