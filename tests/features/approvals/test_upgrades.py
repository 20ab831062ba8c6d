"""A paused run is taken over by a worker with another version of the agent."""

import asyncio
import uuid

import pytest
from spine_core import Agent, Guards, Result, StopReason, Tool, tool
from temporalio.client import Client

from spine_temporal import AgentWorker, Decision, DurableAgent
from tests.features.approvals.payers import STEPS, TOOLS, Diary, agent_that, results
from tests.support.harness import check_run
from tests.support.waiting import until

pytestmark = pytest.mark.durable


class Workers:
    """Workers of one task queue, one after another, as upgrades bring them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.queue = f"upgrade-{uuid.uuid4().hex}"
        self.durable = DurableAgent("agent", client, task_queue=self.queue)

    def worker(self, agent: Agent) -> AgentWorker:
        return AgentWorker(self.client, agents={"agent": agent}, task_queue=self.queue)


@pytest.fixture
def workers(client: Client) -> Workers:
    return Workers(client)


async def paused_on(workers: Workers, agent: Agent) -> Result:
    async with workers.worker(agent):
        paused = await workers.durable.run("pay")
    assert paused.interrupted
    return paused


@tool(approve=True)
async def settle(amount: int) -> str:
    """Pay, by its new name."""
    return f"settled {amount}"


@tool(approve=True)
async def pay(amount: int, to: str = "acme", currency: str = "EUR") -> str:
    """Pay, with one argument more."""
    return f"paid {amount} {currency} to {to}"


@tool
async def ask(question: str) -> str:
    """Do not ask any more."""
    return f"{question} by itself"


@pytest.mark.parametrize("tools", [[], [settle]], ids=["removed", "renamed"])
async def test_a_call_of_a_tool_that_is_gone_tells_the_model_so(workers: Workers, tools: list[Tool]) -> None:
    paused = await paused_on(workers, agent_that([("pay", {"amount": 5})]))

    async with workers.worker(agent_that([("pay", {"amount": 5})], tools=tools)):
        result = await workers.durable.resume(str(paused.resume_token), True)

    assert results(result.state) == ["Error: unknown tool 'pay'"]
    assert result.answer == "done"


async def test_a_paused_run_goes_on_with_the_agent_as_it_is_by_now(workers: Workers) -> None:
    paused = await paused_on(workers, agent_that(*STEPS, system="pay what is due"))
    diary = Diary()
    upgraded = agent_that(*STEPS, system="be careful", tools=[pay, ask, *TOOLS[2:]], middleware=[diary])
    worker = workers.worker(upgraded)

    async with worker:
        again = await workers.durable.resume(str(paused.resume_token), Decision(decided_by="anna"))
        result = await workers.durable.resume(str(paused.resume_token), False)

    assert again.interrupt == {"tool": "pay", "arguments": {"amount": 6}}
    assert results(result.state) == [
        "paid 5 EUR to acme",
        "sure? by itself",
        "3",
        "Tool 'pay' was rejected by human: False",
    ]
    # The conversation keeps the prompt that it began with.
    assert result.state.messages[0].content == "pay what is due"
    assert diary.lines == ["start", "end interrupt", "start", "end final"]
    await check_run(workers.client, worker, workers.durable.get_run(str(paused.resume_token)))


async def test_a_run_paused_with_hooks_goes_on_without_them(workers: Workers) -> None:
    paused = await paused_on(workers, agent_that(*STEPS, middleware=[Diary()]))

    async with workers.worker(agent_that(*STEPS)):
        again = await workers.durable.resume(str(paused.resume_token), True)

    assert again.interrupt == {"question": "sure?"}
    assert again.state.scratch["lines"] == 2


async def test_new_guards_hold_for_what_comes_after_the_pause(workers: Workers) -> None:
    paused = await paused_on(workers, agent_that(*STEPS[1:]))

    async with workers.worker(agent_that(*STEPS[1:], guards=Guards(max_steps=1))):
        result = await workers.durable.resume(str(paused.resume_token), True)

    assert result.stopped_reason is StopReason.MAX_STEPS
    assert results(result.state) == ["paid 6 to acme"]


async def test_a_decision_sent_while_no_worker_is_there_is_carried_out_when_one_is(workers: Workers) -> None:
    paused = await paused_on(workers, agent_that(STEPS[1]))

    resuming = asyncio.create_task(workers.durable.resume(str(paused.resume_token), "ok"))
    run = workers.durable.get_run(str(paused.resume_token))
    handle = workers.client.get_workflow_handle(run.workflow_id)

    async def is_sent() -> bool:
        described = (await handle.describe()).raw_description
        return described.HasField("pending_workflow_task")

    await until(is_sent, "the decision on its way")
    assert not resuming.done()
    async with workers.worker(agent_that(STEPS[1])):
        result = await resuming

    assert results(result.state) == ["paid 6 to acme"]
