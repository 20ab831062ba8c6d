"""For any script of several turns, a durable session has the kernel's Results, however often it continues."""

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spine_core import Result, ToolCall
from temporalio.client import Client

from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.journal.dangling_calls import with_results
from tests.features.sessions.talk import check_chain
from tests.parity.scripts import CONVERSATIONS, Conversation
from tests.support import soak
from tests.support.harness import MODES, Durable, assert_same

pytestmark = pytest.mark.durable

INPUTS = ("count the otters", "and the seals", "now all of them")


async def kernels(conversation: Conversation, turns: int) -> list[Result]:
    """What the plain kernel gives, turn by turn.

    It forgets what `on_run_end` did to the State, and leaves calls that a turn did not come to without a result; a
    durable session does neither.
    """
    agent, results = conversation.agent(), []
    for text in INPUTS[:turns]:
        result = await agent.run(text, session_id="s")
        results.append(result.model_copy(deep=True))
        messages = with_results(result.state.messages, _not_run)
        await agent.checkpoint.put(result.state.model_copy(update={"messages": messages}))
    return results


def _not_run(_: int, call: ToolCall) -> str:
    return f"Tool '{call.name}' was not run: the turn was over before it."


@pytest.mark.parametrize(
    "policy", [ContinuePolicy(), ContinuePolicy(events=1)], ids=["in_one_execution", "continued_at_every_boundary"]
)
@settings(
    max_examples=soak.examples(4),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conversation=CONVERSATIONS, turns=st.integers(2, len(INPUTS)))
async def test_any_session_goes_as_on_the_kernel(
    client: Client, policy: ContinuePolicy, conversation: Conversation, turns: int
) -> None:
    theirs = await kernels(conversation, turns)
    session_id = uuid.uuid4().hex

    async with Durable(client, MODES[0]) as durable:
        served = durable(conversation.agent(), continue_policy=policy)
        ours: list[Any] = [await served.run(text, session_id=session_id) for text in INPUTS[:turns]]
        first = served.runs[0]
        executions = await check_chain(client, served, first.workflow_id, str(first.run_id))

    for our, their in zip(ours, theirs, strict=True):
        assert_same(our, their)
    assert (executions > 1) == (policy.events is not None)
