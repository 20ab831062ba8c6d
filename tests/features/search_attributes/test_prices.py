"""The prices that a run's cost was counted by are on record with the run."""

import uuid
from typing import Any

import pytest
from spine_core import Agent, Message, ModelResponse
from spine_core.testing import ScriptedProvider, calls, text
from spine_middleware import CostTracking
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.client.describe_run import describe_run
from tests.features.search_attributes.serving import attributes_of, pay

pytestmark = pytest.mark.durable


class Paying:
    """Goes on wherever the conversation is, on any worker."""

    async def complete(self, messages: list[Message], *_: Any, **__: Any) -> ModelResponse:
        return text("paid") if messages[-1].role == "tool" else calls(("pay", {"amount": 5}))


def counting(input_per_mtok: float, output_per_mtok: float) -> Agent:
    """Asks before it pays; its provider says nothing of a cost, its rates do."""
    return Agent(Paying(), tools=[pay], middleware=[CostTracking(input_per_mtok, output_per_mtok)], name="counting")


async def test_a_worker_with_other_prices_is_on_record_from_its_step_on(indexed: Client) -> None:
    queue, session = f"prices-{uuid.uuid4().hex}", uuid.uuid4().hex
    durable = DurableAgent("counting", indexed, task_queue=queue)
    async with AgentWorker(indexed, agents=[counting(100, 200)], task_queue=queue):
        paused = await durable.run("pay", session_id=session)
    async with AgentWorker(indexed, agents=[counting(1000, 2000)], task_queue=queue):
        result = await durable.resume(str(paused.resume_token), "approve")

        run = await describe_run(indexed, session)
        found = await attributes_of(indexed, f"spine-{session}", SpineStatus="idle")
    assert result.usage.cost_usd == pytest.approx(0.002 + 0.02)
    assert run.opened_with["prices"] == "CostTracking:100/200"
    assert [move.plugins["prices"] for move in run.moves] == ["CostTracking:1000/2000"]
    assert (run.usage.cost_usd, run.cost_usd) == (result.usage.cost_usd, result.usage.cost_usd)
    assert found["SpineCostUsd"] == result.usage.cost_usd


async def test_what_is_free_costs_nothing_and_is_not_unknown(indexed: Client) -> None:
    agent = Agent(ScriptedProvider(text("done")), middleware=[CostTracking(0, 0)], name="free")
    queue = f"prices-{uuid.uuid4().hex}"
    async with AgentWorker(indexed, agents=[agent], task_queue=queue):
        run = await DurableAgent("free", indexed, task_queue=queue).start("go")
        await run.result()

        found = await attributes_of(indexed, run.workflow_id, SpineStatus="completed")
        described = await describe_run(indexed, run.id)
    assert (found["SpineCostUsd"], described.cost_usd, described.usage.unpriced_tokens) == (0.0, 0.0, 0)


async def test_of_a_model_without_a_price_the_description_says_no_cost(indexed: Client) -> None:
    queue = f"prices-{uuid.uuid4().hex}"
    async with AgentWorker(indexed, agents=[Agent(ScriptedProvider(text("done")), name="new")], task_queue=queue):
        run = await DurableAgent("new", indexed, task_queue=queue).start("go")
        await run.result()

        told = (await describe_run(indexed, run.id)).to_json()
    assert (told["cost_usd"], told["usage"]["cost_usd"], told["usage"]["unpriced_tokens"]) == (None, None, 15)
