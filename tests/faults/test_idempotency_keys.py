"""A tool call has one idempotency key, whatever becomes of its run; no other call has it."""

import uuid
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse, ToolContext, tool
from spine_core.testing import calls, text
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent, Run, idempotency_key
from spine_temporal.contracts.policies import ContinuePolicy
from tests.support.soak import in_soak
from tests.support.waiting import until

pytestmark = pytest.mark.durable

SAME = ("pay", {"amount": 5})


class Payer:
    """Asks for the same thing again and again, three times a turn; it knows where it is from the conversation."""

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        said = max(at for at, message in enumerate(messages) if message.role == "user")
        steps = sum(message.role == "assistant" for message in messages[said:])
        return [calls(SAME, SAME), calls(SAME), text("paid")][steps]


class Onlooker:
    """Hooks may ask, too."""

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys

    async def before_tool(self, context: ToolContext) -> None:
        self.keys.append(idempotency_key())


def paying(keys: list[str], *, parallel: bool = False, hooked: list[str] | None = None) -> Agent:
    @tool
    def pay(amount: int) -> str:
        """Pay, in a thread."""
        keys.append(idempotency_key())
        return f"paid {amount}"

    middleware = [] if hooked is None else [Onlooker(hooked)]
    return Agent(Payer(), tools=[pay], name="payer", parallel_tools=parallel, middleware=middleware)


@pytest.mark.parametrize(
    ("events", "parallel"),
    [(None, False), in_soak(1, False), in_soak(None, True), (1, True)],
    ids=["one after another", "one after another, continuing", "side by side", "side by side, continuing"],
)
async def test_each_call_has_its_own(client: Client, *, parallel: bool, events: int | None) -> None:
    keys, hooked, queue, session = list[str](), list[str](), uuid.uuid4().hex, uuid.uuid4().hex
    agent = paying(keys, parallel=parallel, hooked=hooked)
    policy = ContinuePolicy(events=events)
    async with AgentWorker(client, agents=[agent], task_queue=queue, continue_policy=policy):
        for ttl_s in (60, 0, 60):  # the third turn opens the session again
            await DurableAgent("payer", client, task_queue=queue, session_ttl_s=ttl_s).run("pay", session_id=session)
        await DurableAgent("payer", client, task_queue=queue).run("pay")

    assert len(keys) == len(set(keys)) == 4 * 3
    assert {len(key) for key in keys} == {32}
    assert sorted(hooked) == sorted(keys)


@pytest.mark.parametrize("events", [None, 1], ids=["one execution", "continuing as new"])
async def test_a_call_that_is_made_again_after_a_reset_has_the_same(client: Client, events: int | None) -> None:
    keys, queue = list[str](), uuid.uuid4().hex
    policy = ContinuePolicy(events=events)
    async with AgentWorker(client, agents=[paying(keys)], task_queue=queue, continue_policy=policy):
        run = await DurableAgent("payer", client, task_queue=queue).start("pay")
        before = await run.result()
        made = list(keys)
        await reset(client, run)
        await until(lambda: len(keys) > len(made), "a call that is made again")
        again = await client_result(client, run)

    assert again.answer == before.answer == "paid"
    assert set(keys) == set(made)


async def client_result(client: Client, run: Run) -> Any:
    return await Run(client, id=run.id, workflow_id=run.workflow_id).result()


async def reset(client: Client, run: Run) -> None:
    """Take the first execution back to its first workflow task."""
    history = await client.get_workflow_handle(run.workflow_id, run_id=run.run_id).fetch_history()
    first = next(
        event.event_id for event in history.events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    )
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=run.workflow_id, run_id=history.run_id),
            reason="a test",
            workflow_task_finish_event_id=first,
            request_id=uuid.uuid4().hex,
        )
    )


async def test_on_the_plain_kernel_each_call_has_its_own() -> None:
    keys: list[str] = []

    await paying(keys).run("pay")

    assert len(set(keys)) == 3
