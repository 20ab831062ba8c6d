"""Many that want the same thing done once: those who wait leave room for the one who is to do it."""

import asyncio
import uuid

import pytest
from spine_core import State, ToolCall, ToolContext
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from spine_temporal import AgentWorker
from spine_temporal.middleware import Idempotency
from tests.support.agents_at_hand import adding_agent
from tests.support.waiting import until

pytestmark = pytest.mark.durable

ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
# More than the updates a server lets be in flight in one workflow.
CROWD = 14


def call() -> ToolContext:
    """A call of the payment."""
    return ToolContext(State(session_id="s"), None, ToolCall(id="1", name="pay", arguments={}))


async def test_the_owners_next_attempt_comes_through_a_crowd_that_waits(client: Client) -> None:
    queue = uuid.uuid4().hex

    def once() -> Idempotency:
        return Idempotency(name=queue, client=client, task_queue=queue)

    async def waiting() -> bool:
        listed = client.list_workflows(f"WorkflowId STARTS_WITH 'spine.once-{queue}'")
        histories = [await client.get_workflow_handle(each.id).fetch_history() async for each in listed]
        return [event.event_type for history in histories for event in history.events].count(ACCEPTED) > 5

    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        owner = once()
        await owner.before_tool(call())
        crowd = [(once(), call()) for _ in range(CROWD)]
        claims = [asyncio.ensure_future(each.before_tool(context)) for each, context in crowd]
        await until(waiting, "those who wait")

        again = call()
        await owner.before_tool(again)
        again.result = "paid"
        await owner.after_tool(again)
        await asyncio.gather(*claims)

    assert not again.skip
    assert [(context.skip, context.result) for _, context in crowd] == [(True, "paid")] * CROWD
