"""Guards whose workflows live long: they go on as new executions, and calls wait their turn outside the worker."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from spine_core import Agent, Message, ModelResponse, State, StepContext, StopReason, ToolContext, Usage, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RawValue

from spine_temporal import ActivityPolicy, AgentWorker
from spine_temporal.contracts import names
from spine_temporal.contracts.shared_limits import BucketReply, BucketState, TakeRequest
from spine_temporal.middleware import Idempotency, RateLimit, TenantBudget
from spine_temporal.payloads import pack, unpack
from spine_temporal.testing import dev_server
from tests.features.sessions.talk import until_closed
from tests.support.agents_at_hand import add, adding_agent
from tests.support.harness import ONLY_NORMAL, Durable
from tests.support.waiting import until

pytestmark = pytest.mark.durable

QUEUE = "long-lived"


@pytest_asyncio.fixture(scope="module")
async def impatient() -> AsyncIterator[Client]:
    """A server that suggests a new execution after forty events, with a worker."""
    async with (
        dev_server(dynamic_config={"limit.historyCount.suggestContinueAsNew": 40}) as server,
        AgentWorker(server.client, agents=[adding_agent()], task_queue=QUEUE),
    ):
        yield server.client


async def went_on(client: Client, workflow_id: str) -> bool:
    """Whether it goes on as an execution that is not its first, once the server's list, which is behind, says so."""

    async def listed() -> bool:
        found = [each async for each in client.list_workflows(f"WorkflowId = '{workflow_id}'")]
        return len(found) > 1 and [each.status for each in found].count(WorkflowExecutionStatus.RUNNING) == 1

    await until(listed, f"a new execution of {workflow_id}")
    return True


async def test_a_budget_loses_no_charge_when_it_continues_as_new(impatient: Client) -> None:
    budget = TenantBudget(max_tokens=10_000, client=impatient, task_queue=QUEUE)
    context = StepContext(State(session_id="s", tenant_id="acme"), [], [])
    context.response = ModelResponse(message=Message.assistant("hi"), usage=Usage(input_tokens=1, cost_usd=0.5))

    for _ in range(12):
        await asyncio.gather(*[budget.after_model(context) for _ in range(8)])

    assert await budget.spend("acme") == {"cost": 48.0, "tokens": 96.0}
    assert await went_on(impatient, f"{names.BUDGET_ID_PREFIX}default/acme")


async def test_a_rate_loses_no_turn_when_it_continues_as_new(impatient: Client) -> None:
    rate = RateLimit(1000, 0.001, client=impatient, task_queue=QUEUE)
    context = StepContext(State(session_id="s"), [], [])

    for _ in range(40):
        await rate.before_model(context)

    assert await went_on(impatient, f"{names.RATE_ID_PREFIX}default")


async def test_a_rate_at_which_very_many_wait_goes_on(impatient: Client) -> None:
    workflow_id = f"{names.RATE_ID_PREFIX}{uuid.uuid4().hex}"
    handle = await impatient.start_workflow(
        names.RATE_WORKFLOW, pack(BucketState()), id=workflow_id, task_queue=QUEUE, result_type=RawValue
    )

    async def wait_s(*ids: str) -> float:
        request = TakeRequest(ids=ids, max_calls=1, per_s=60.0, sits_out_s=2.0)
        answer = await handle.execute_update(names.TAKE_UPDATE, pack(request), result_type=RawValue)
        return unpack(BucketReply, answer).waits_s[0]

    # Each as long as the name of a run's activity.
    for n in range(5):
        await wait_s(*[f"{n}/{each}".ljust(40, "x") for each in range(8000)])
    second = await wait_s("0/1".ljust(40, "x"))
    for n in range(12):
        await wait_s(f"late {n}")

    assert await went_on(impatient, workflow_id)
    assert 0 < await wait_s("0/1".ljust(40, "x")) <= second


async def test_what_was_done_once_is_remembered_when_it_continues_as_new(impatient: Client) -> None:
    kernel = Agent(
        ScriptedProvider(*[_adding() for _ in range(30)], text("done")),
        tools=[add],
        middleware=[Idempotency(client=impatient, task_queue=QUEUE)],
    )
    kernel.guards.max_steps = None

    result = await kernel.run("go")

    assert {message.content for message in result.state.messages if message.role == "tool"} == {"3"}
    [once] = {each.id async for each in impatient.list_workflows(f"WorkflowType = '{names.ONCE_WORKFLOW}'")}
    assert await went_on(impatient, once)


async def test_what_was_done_is_known_for_as_long_as_the_server_keeps_it(client: Client) -> None:
    queue, ran = uuid.uuid4().hex, list[int]()

    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        once = Idempotency(remember_s=0.01, name=queue, client=client, task_queue=queue)
        for _ in range(2):
            result = await counting(ran, once).run("go")
            await until_closed(client, await only_once(client, queue))

    assert ran == [1]
    assert [message.content for message in result.state.messages if message.role == "tool"] == ["counted"]


async def test_what_took_longer_than_a_claim_is_remembered_is_remembered(client: Client) -> None:
    queue, ran = uuid.uuid4().hex, list[int]()

    @tool
    async def count() -> str:
        """Count."""
        ran.append(1)
        await until_closed(client, await only_once(client, queue))
        return "counted"

    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        once = Idempotency(remember_s=0.01, name=queue, client=client, task_queue=queue)
        for _ in range(2):
            script = ScriptedProvider(calls(("count", {})), text("done"))
            result = await Agent(script, tools=[count], middleware=[once]).run("go")
            assert [message.content for message in result.state.messages if message.role == "tool"] == ["counted"]

    assert ran == [1]


class Answers:
    """Answers a call by itself, before the tool runs."""

    async def before_tool(self, ctx: ToolContext) -> None:
        ctx.result, ctx.skip = "answered", True


async def test_what_was_claimed_and_never_done_can_be_done_when_the_claim_is_forgotten(client: Client) -> None:
    queue, ran = uuid.uuid4().hex, list[int]()

    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        once = Idempotency(remember_s=0.01, name=queue, client=client, task_queue=queue)
        await counting(ran, once, Answers()).run("go")
        assert ran == []
        await until_closed(client, await only_once(client, queue))

        await counting(ran, once).run("go")

    assert ran == [1]


def counting(ran: list[int], *guards: Any) -> Agent:
    """Calls a tool that counts how often it runs."""

    @tool
    async def count() -> str:
        """Count."""
        ran.append(1)
        return "counted"

    return Agent(ScriptedProvider(calls(("count", {})), text("done")), tools=[count], middleware=[*guards])


async def only_once(client: Client, name: str) -> str:
    """The id of the one workflow that keeps what was done under that name."""
    found: set[str] = set()

    async def listed() -> bool:
        found.update([each.id async for each in client.list_workflows(f"WorkflowId STARTS_WITH 'spine.once-{name}'")])
        return found != set()

    await until(listed, "the workflow in the server's list")
    [workflow_id] = found
    return workflow_id


@ONLY_NORMAL
async def test_a_call_that_waits_long_leaves_its_worker_and_spends_no_attempt(durable: Durable) -> None:
    limited = Agent(ScriptedProvider(text("hi")), middleware=[RateLimit(1, 2.5, name=uuid.uuid4().hex)])
    served = durable(limited, step_policy=ActivityPolicy(attempts=1), max_concurrent_activities=1)

    results = await asyncio.gather(served.run("one"), served.run("two"))

    assert [result.stopped_reason for result in results] == [StopReason.FINAL] * 2


def _adding() -> ModelResponse:
    return calls(("add", {"a": 1, "b": 2}))


@ONLY_NORMAL
@pytest.mark.parametrize("kind", [TenantBudget, RateLimit])
async def test_what_a_call_waits_for_is_logged_when_nobody_works_on_it(
    durable: Durable, caplog: pytest.LogCaptureFixture, kind: Any
) -> None:
    name, limits = uuid.uuid4().hex, {"max_calls": 5} if kind is RateLimit else {"max_tokens": 5_000}
    guard = kind(**limits, name=name, task_queue=f"nobody-{name}")
    answers = ScriptedProvider(calls(("add", {"a": 1, "b": 2})), text("done"))
    run = await durable(Agent(answers, tools=[add], middleware=[guard])).start("go")

    await until(lambda: name in caplog.text and "nobody may poll its task queue" in caplog.text, "the warning")
    await run.cancel()

    assert (await run.result()).stopped_reason is StopReason.CANCELLED
