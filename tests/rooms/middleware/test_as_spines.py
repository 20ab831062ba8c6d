"""Guards whose state is in Temporal do for one agent what spine's own do, in a worker or on the plain kernel."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import spine_middleware as spine
from pydantic import BaseModel
from spine_core import Agent, StopReason, ToolContext, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import AgentWorker, middleware
from spine_temporal.errors import BadInput
from tests.support.agents_at_hand import adding_agent
from tests.support.harness import ONLY_NORMAL, Durable, assert_same

pytestmark = pytest.mark.durable


class Receipt(BaseModel):
    amount: int
    paid: bool = True


@tool
async def pay(amount: int) -> Receipt:
    """Pay."""
    if amount < 0:
        raise ValueError("a negative amount")
    return Receipt(amount=amount)


class Answers:
    """Answers a call by itself, before the tool runs."""

    async def before_tool(self, ctx: ToolContext) -> None:
        ctx.result, ctx.skip = "answered", True


PAY, MINUS = ("pay", {"amount": 7}), ("pay", {"amount": -7})
SCRIPTS = {
    "paid twice": [calls(PAY), calls(PAY, ("pay", {"amount": 8})), text("done")],
    "failing twice": [calls(MINUS), calls(MINUS), text("done")],
    "two in a step": [calls(("pay", {"amount": 1}), ("pay", {"amount": 2})), text("done")],
}
GUARDS: dict[str, Callable[[Any], list[Any]]] = {
    "idempotency": lambda kind: [kind.Idempotency()],
    "idempotency of other tools": lambda kind: [kind.Idempotency(tools=["refund"])],
    "idempotency by a key": lambda kind: [kind.Idempotency(key=lambda name, _: name)],
    "idempotency by a number": lambda kind: [kind.Idempotency(key=lambda _, arguments: arguments["amount"])],
    "idempotency around one that answers": lambda kind: [kind.Idempotency(), Answers()],
    "budget in dollars": lambda kind: [kind.TenantBudget(max_cost_usd=0.01, message="no more")],
    "budget in tokens": lambda kind: [kind.TenantBudget(max_tokens=15)],
    "rate": lambda kind: [kind.RateLimit(1000, 1.0)],
}


def agent(script: str, guards: list[Any]) -> Agent:
    responses = [response.model_copy(deep=True) for response in SCRIPTS[script]]
    for response in responses:
        response.usage.cost_usd = 0.006
    # The names of what is kept on the server are the tenant's, the limit's, the key's: each test has its own.
    for guard in guards:
        if hasattr(guard, "name"):
            guard.name = uuid.uuid4().hex
    return Agent(ScriptedProvider(*responses), tools=[pay], middleware=guards)


@ONLY_NORMAL
@pytest.mark.parametrize("guards", GUARDS.values(), ids=GUARDS.keys())
@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_run_with_our_guard_is_the_kernels_with_spines(
    durable: Durable, script: str, guards: Callable[[Any], list[Any]]
) -> None:
    ours = await durable(agent(script, guards(middleware))).run("go")

    assert_same(ours, await agent(script, guards(spine)).run("go"))


async def test_the_plain_kernel_uses_them_with_any_worker_of_the_queue(client: Client) -> None:
    queue, name = f"guards-{uuid.uuid4().hex}", uuid.uuid4().hex
    budget = middleware.TenantBudget(max_tokens=20, name=name, client=client, task_queue=queue)
    once = middleware.Idempotency(name=name, client=client, task_queue=queue)
    rate = middleware.RateLimit(50, 1.0, name=name, client=client, task_queue=queue)

    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        kernel = Agent(
            ScriptedProvider(calls(PAY), calls(PAY), text("never")), tools=[pay], middleware=[budget, once, rate]
        )
        result = await kernel.run("go")

        assert result.stopped_reason is StopReason.MAX_TOKENS
        assert await budget.spend(None) == {"cost": 0.0, "tokens": 30.0}
        assert [message.content for message in result.state.messages if message.role == "tool"] == [
            '{"amount":7,"paid":true}'
        ] * 2


@pytest.mark.parametrize("raises", [False, True])
async def test_what_another_agent_was_asked_once_it_is_not_asked_again(durable: Durable, raises: bool) -> None:
    def team(kind: Any, **options: Any) -> tuple[Agent, list[str]]:
        asked: list[str] = []

        class Finder:
            async def complete(self, messages: Any, tools: Any = None, **_: Any) -> Any:
                asked.append(messages[-1].content)
                if raises:
                    raise RuntimeError("no such model")
                return text("three otters")

        finds = ("finder", {"input": "otters"})
        script = [calls(finds), calls(finds, ("finder", {"input": "seals"})), text("done")]
        finder = Agent(Finder(), name="finder").as_tool()
        return Agent(ScriptedProvider(*script), tools=[finder], middleware=[kind(**options)]), asked

    ours, asked = team(middleware.Idempotency, name=uuid.uuid4().hex)
    spines, expected = team(spine.Idempotency)

    result, kernels = await durable(ours).run("go"), await spines.run("go")

    assert asked == expected == ["otters", "seals"]
    assert result.state.messages == kernels.state.messages


@pytest.mark.parametrize(("cost_usd", "ends"), [(float("nan"), "final"), (float("inf"), "max_cost")])
async def test_a_cost_that_no_sum_holds_loses_neither_the_answer_nor_the_ceiling(
    durable: Durable, cost_usd: float, ends: str
) -> None:
    budget = middleware.TenantBudget(max_cost_usd=1.0, name=uuid.uuid4().hex)
    responses = [calls(PAY, cost_usd=cost_usd), text("done", cost_usd=0.5)]

    result = await durable(Agent(ScriptedProvider(*responses), tools=[pay], middleware=[budget])).run("go")

    assert result.stopped_reason.value == ends
    assert [message.content for message in result.state.messages if message.role == "tool"] == [
        '{"amount":7,"paid":true}'
    ]


async def test_a_call_that_another_hook_answers_does_not_stand_in_the_way_of_the_next(client: Client) -> None:
    queue = f"guards-{uuid.uuid4().hex}"
    once = middleware.Idempotency(name=queue, client=client, task_queue=queue)

    async with AgentWorker(client, agents=[adding_agent()], task_queue=queue):
        kernel = Agent(ScriptedProvider(calls(PAY, PAY), text("done")), tools=[pay], middleware=[once, Answers()])
        result = await kernel.run("go")

    assert [message.content for message in result.state.messages if message.role == "tool"] == ["answered"] * 2


async def test_a_key_that_no_other_process_would_know_is_refused(durable: Durable) -> None:
    once: Any = middleware.Idempotency(key=lambda *_: object())  # type: ignore[arg-type]

    result = await durable(agent("paid twice", [once])).run("go")

    assert result.stopped_reason is StopReason.ERROR
    assert "it is text, or what JSON holds" in str(result.error)


def test_a_store_is_refused_for_there_is_none() -> None:
    for make in (middleware.TenantBudget, middleware.Idempotency):
        with pytest.raises(BadInput, match="keeps its state in Temporal"):
            make(store={})  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [0.0, -1.0, float("inf"), float("nan"), 1e13, True])
def test_a_number_that_no_server_could_hold_is_refused_where_it_is_written(number: float) -> None:
    for make in (
        lambda: middleware.RateLimit(5, number),
        lambda: middleware.Idempotency(lease_s=number),
        lambda: middleware.Idempotency(remember_s=number),
    ):
        with pytest.raises(ValueError, match="of seconds above 0 and up to ten years"):
            make()


def test_a_ceiling_or_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="max_calls is 0"):
        middleware.RateLimit(0)
    for number in (-1.0, float("nan"), "5"):
        with pytest.raises(ValueError, match="it is 0 or more"):
            middleware.TenantBudget(max_cost_usd=number)  # type: ignore[arg-type]
