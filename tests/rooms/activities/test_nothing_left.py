"""What an attempt held is gone when it is over: the garbage collector has nothing to find."""

import gc
import uuid
from collections.abc import Iterator

import pytest
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.activities.current import Attempt
from tests.support.agents_at_hand import adding_agent


@pytest.fixture
def before() -> Iterator[set[int]]:
    """The ids of the attempts that other tests have left; no garbage is collected in this one."""
    gc.collect()
    gc.disable()
    yield {id(each) for each in _attempts()}
    gc.enable()


def _attempts() -> list[Attempt]:
    return [each for each in gc.get_objects() if isinstance(each, Attempt)]


@pytest.mark.durable
async def test_attempts_are_gone_when_they_are_over(client: Client, before: set[int]) -> None:
    queue = uuid.uuid4().hex
    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        result = await DurableAgent("assistant", client, task_queue=queue).run("1 + 2?")

    assert result.state.step == 2
    # Of a step, a tool call and a step. The SDK's worker has a variable of the task that it began last.
    assert len([each for each in _attempts() if id(each) not in before]) <= 1
