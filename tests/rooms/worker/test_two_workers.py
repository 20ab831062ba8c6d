"""A run whose activities are spread over several workers."""

import uuid
from typing import Any

import pytest
from spine_core import Agent
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from tests.support.agents_at_hand import add

pytestmark = pytest.mark.durable

STEPS = 30


async def test_a_worker_that_missed_some_steps_catches_up_from_the_end_of_the_history(client: Client) -> None:
    queue = uuid.uuid4().hex
    script = [calls(("add", {"a": n, "b": 0})) for n in range(STEPS)]
    agent = Agent(ScriptedProvider(*script, text("done")), tools=[add], name="spread")
    agent.guards.max_steps = None
    # Eager dispatch keeps a run on one worker; without it any worker may get the next activity.
    options: dict[str, Any] = {"task_queue": queue, "disable_eager_activity_execution": True}
    one = AgentWorker(client, agents=[agent], **options)
    two = AgentWorker(await Client.connect(client.service_client.config.target_host), agents=[agent], **options)
    async with one, two:
        result = await DurableAgent("spread", client, task_queue=queue).run("go")

    assert [message.content for message in result.state.messages if message.role == "tool"] == [
        str(n) for n in range(STEPS)
    ]
    caches = [worker.plugin.activities_of_agents.cache for worker in (one, two)]
    assert sum(cache.caught_up for cache in caches) > 0
    assert all(cache.folds <= 1 for cache in caches)
