"""What is kept on the server besides runs keeps to the namespace's limit, too."""

import random
import uuid

import pytest
from spine_core import Agent, Message, State, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent, TemporalCheckpoint
from spine_temporal.middleware import Idempotency
from tests.features.limits.narrow import LIMIT

pytestmark = pytest.mark.durable


async def test_a_session_that_compresses_badly_is_put_in_parts(narrow: Client) -> None:
    # Of a digit in hex half a byte is left.
    session, noise, store = uuid.uuid4().hex, random.Random(1).randbytes(2 * LIMIT).hex(), TemporalCheckpoint(narrow)
    for length in (2 * LIMIT - 6_000, len(noise)):
        await store.put(State(session_id=session, messages=[Message(role="user", content=noise[:length])]))

    kept = await TemporalCheckpoint(narrow).get(session)
    assert kept is not None
    assert kept.messages[0].content == noise


@pytest.mark.parametrize("result", ["x" * (LIMIT + 1), '"' * (LIMIT // 2)], ids=["long", "longer in JSON"])
async def test_a_result_that_is_too_large_is_remembered_as_done(narrow: Client, result: str) -> None:
    made: list[int] = []

    @tool
    async def fetch() -> str:
        """Fetch much."""
        made.append(1)
        return result

    queue = uuid.uuid4().hex
    once = Idempotency(client=narrow, name=queue, task_queue=queue)
    provider = ScriptedProvider(calls(("fetch", {})), text("fetched"), calls(("fetch", {})), text("fetched"))
    agent = Agent(provider, tools=[fetch], name="a", middleware=[once])
    async with AgentWorker(narrow, agents=[agent], task_queue=queue):
        durable = DurableAgent("a", narrow, task_queue=queue)
        first, second = await durable.run("go"), await durable.run("go")

    assert first.ok
    assert second.ok
    assert len(made) == 1
    assert "it was done before, with a result of" in str(second.state.messages[-2].content)
