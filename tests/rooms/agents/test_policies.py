"""Whose policy an agent's runs are opened with."""

import pytest
from spine_core import Agent
from spine_core.testing import ScriptedProvider

from spine_temporal import ActivityPolicy
from spine_temporal.agents.policies import checked, policy_for
from spine_temporal.errors import UnknownAgent
from spine_temporal.worker.plugin import SpinePlugin

QUICK, SLOW = ActivityPolicy(timeout_s=1.0), ActivityPolicy(timeout_s=600.0)


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("desk", QUICK),
        ("desk/writer", SLOW),
        ("desk/reader", QUICK),
        ("clerk", ActivityPolicy()),
        ("desks", ActivityPolicy()),
    ],
)
def test_the_nearest_one_above_is_taken(name: str, policy: ActivityPolicy) -> None:
    assert policy_for(name, {"desk": QUICK, "desk/writer": SLOW}) == policy
    assert policy_for(name, SLOW) == SLOW


def test_a_policy_for_nobody_is_a_mistake() -> None:
    assert checked("step_policy", None, ["desk"]) == ActivityPolicy()
    assert checked("step_policy", {"desk/writer": SLOW}, ["desk"]) == {"desk/writer": SLOW}
    with pytest.raises(UnknownAgent, match="no agent 'dest' for this policy; this worker has: clerk, desk"):
        checked("step_policy", {"dest": QUICK}, ["desk", "clerk"])


def test_a_worker_says_so_at_once() -> None:
    agent = Agent(ScriptedProvider(), name="desk")

    with pytest.raises(UnknownAgent, match="no agent 'dest'"):
        SpinePlugin([agent], tool_policy={"dest": QUICK})
