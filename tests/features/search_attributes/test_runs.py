"""What a run sets of its search attributes, and when."""

import logging
import uuid
from typing import Any

import pytest
from spine_core import Agent, Middleware, ModelResponse, State
from spine_core.testing import ScriptedProvider, text
from temporalio.client import Client, WorkflowExecutionStatus

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.contracts import names
from spine_temporal.contracts.policies import ContinuePolicy
from spine_temporal.contracts.search_attributes import NAMES, keyword
from spine_temporal.testing import dev_server
from tests.features.search_attributes.serving import (
    Down,
    attributes_of,
    boss,
    listed,
    payer,
    priced,
    unpriced,
    upserts_in,
)
from tests.support.agents_at_hand import Gate
from tests.support.harness import replay
from tests.support.subagents import workflow_below

pytestmark = pytest.mark.durable

_TWO = {names.STATUS_ATTRIBUTE: "Keyword", names.AGENT_ATTRIBUTE: "Keyword"}


def worker_for(client: Client, *agents: Agent, **options: Any) -> AgentWorker:
    return AgentWorker(client, agents=list(agents), task_queue=f"attributes-{uuid.uuid4().hex}", **options)


async def test_a_run_sets_them_at_its_start_and_at_its_end(indexed: Client) -> None:
    async with worker_for(indexed, priced()) as worker:
        run = await DurableAgent("priced", indexed, task_queue=worker.task_queue).start("go")
        await run.result()

        history = await indexed.get_workflow_handle(run.workflow_id).fetch_history()
        assert await attributes_of(indexed, run.workflow_id) == {
            "SpineStatus": "completed",
            "SpineAgent": "priced",
            "SpineSession": run.id,
            "SpineTenant": "acme",
            "SpineStopReason": "final",
            "SpineStep": 1,
            "SpineTokens": 15,
            "SpineCostUsd": 0.25,
        }
    # The first names the tenant, which only the agent's worker knew.
    assert upserts_in(history) == 2
    await replay(history)


async def test_a_model_without_a_price_has_no_cost(indexed: Client) -> None:
    async with worker_for(indexed, unpriced()) as worker:
        run = await DurableAgent("unpriced", indexed, task_queue=worker.task_queue).start("go")
        await run.result()

        found = await attributes_of(indexed, run.workflow_id, SpineStatus="completed")

    assert found["SpineTokens"] == 15
    assert not found.keys() & {"SpineCostUsd", "SpineTenant", "SpineParent"}


async def test_a_run_that_has_just_begun_has_no_cost_yet(indexed: Client) -> None:
    gate = Gate()

    class Waits:
        async def complete(self, *_: Any, **__: Any) -> ModelResponse:
            await gate.pass_through()
            return text("done")

    async with worker_for(indexed, Agent(Waits(), name="waits")) as worker:
        run = await DurableAgent("waits", indexed, task_queue=worker.task_queue).start("go")
        await gate.begun.wait()
        begun = await attributes_of(indexed, run.workflow_id, SpineStatus="running")
        gate.open.set()
        await run.result()

    assert (begun["SpineTokens"], begun["SpineAgent"], "SpineCostUsd" in begun) == (0, "waits", False)


async def test_they_change_with_the_status_only(indexed: Client) -> None:
    async with worker_for(indexed, payer()) as worker:
        durable, session = DurableAgent("payer", indexed, task_queue=worker.task_queue), uuid.uuid4().hex
        paused = await durable.run("pay", session_id=session)
        at_pause = await attributes_of(indexed, f"spine-{session}", SpineStatus="paused")
        await durable.resume(str(paused.resume_token), "approve")
        idle = await attributes_of(indexed, f"spine-{session}", SpineStatus="idle")
        await durable.get_run(session).stop()
        await attributes_of(indexed, f"spine-{session}", SpineStatus="completed", SpineStopReason="final")

        history = await indexed.get_workflow_handle(f"spine-{session}").fetch_history()
    assert (at_pause["SpineStopReason"], at_pause["SpineCostUsd"]) == ("interrupt", 0.5)
    assert (idle["SpineStopReason"], idle["SpineStep"], idle["SpineCostUsd"]) == ("final", 2, 0.75)
    # Paused, goes on, idle, closed: it was started with them.
    assert upserts_in(history) == 4
    await replay(history)


async def test_a_run_below_another_names_its_parent_which_counts_what_it_used(indexed: Client) -> None:
    async with worker_for(indexed, boss(priced(), unpriced())) as worker:
        run = await DurableAgent("boss", indexed, task_queue=worker.task_queue).start("go")
        await run.result()

        above = await attributes_of(indexed, run.workflow_id, SpineStatus="completed")
        below = await attributes_of(indexed, await workflow_below(indexed, run.workflow_id, "1.0"))

    assert (below["SpineParent"], below["SpineCostUsd"], below["SpineTenant"]) == (run.workflow_id, 0.25, "acme")
    assert above["SpineTokens"] == 60
    assert not above.keys() & {"SpineCostUsd", "SpineParent"}


@pytest.mark.parametrize("session_open", [True, False], ids=["session", "run"])
async def test_an_error_is_named(indexed: Client, *, session_open: bool) -> None:
    async with worker_for(indexed, Agent(Down(), name="down")) as worker:
        durable, session = DurableAgent("down", indexed, task_queue=worker.task_queue), uuid.uuid4().hex
        run = await durable.start("go", session_id=session if session_open else None)
        await run.result()

        status = "idle" if session_open else "failed"
        await attributes_of(indexed, run.workflow_id, SpineStatus=status, SpineStopReason="error")


async def test_a_cancelled_run_says_so(indexed: Client) -> None:
    async with worker_for(indexed, payer()) as worker:
        durable, session = DurableAgent("payer", indexed, task_queue=worker.task_queue), uuid.uuid4().hex
        await durable.run("pay", session_id=session)
        await durable.get_run(session).cancel()

        await attributes_of(indexed, f"spine-{session}", SpineStatus="canceled", SpineStopReason="cancelled")
        described = await indexed.get_workflow_handle(f"spine-{session}").describe()
    assert described.status is WorkflowExecutionStatus.CANCELED


async def test_a_tenant_that_a_hook_names_is_the_runs(indexed: Client) -> None:
    class Tenant(Middleware):
        async def on_run_start(self, state: State) -> None:
            state.tenant_id = "globex"

    agent = Agent(ScriptedProvider(text("done")), middleware=[Tenant()], name="hooked", tenant_id="acme")
    async with worker_for(indexed, agent) as worker:
        run = await DurableAgent("hooked", indexed, task_queue=worker.task_queue).start("go")
        await run.result()

        await attributes_of(indexed, run.workflow_id, SpineTenant="globex")


@pytest.mark.parametrize("tenant_id", ["x" * 5000, "a\0b", "\N{OTTER}" * 300, 'a "b" \\ c', "a\nb"])
async def test_a_tenant_that_no_store_could_hold_stops_nothing(indexed: Client, tenant_id: str) -> None:
    async with worker_for(indexed, priced(tenant_id=tenant_id)) as worker:
        run = await DurableAgent("priced", indexed, task_queue=worker.task_queue).start("go")

        assert (await run.result()).ok
        await attributes_of(indexed, run.workflow_id, SpineTenant=keyword(tenant_id))


@pytest.mark.parametrize("cost_usd", [float("nan"), float("inf"), -1.0, 1e300])
async def test_an_odd_cost_stops_nothing(indexed: Client, cost_usd: float) -> None:
    async with worker_for(indexed, priced(cost_usd=cost_usd)) as worker:
        run = await DurableAgent("priced", indexed, task_queue=worker.task_queue).start("go")

        assert (await run.result()).ok
        await attributes_of(indexed, run.workflow_id, SpineStatus="completed")


async def test_tokens_beyond_what_a_store_counts_stop_nothing(indexed: Client) -> None:
    agent = Agent(ScriptedProvider(text("done", input_tokens=2**63, cost_usd=1.0)), name="huge")
    async with worker_for(indexed, agent) as worker:
        run = await DurableAgent("huge", indexed, task_queue=worker.task_queue).start("go")

        assert (await run.result()).ok
        assert "SpineTokens" not in await attributes_of(indexed, run.workflow_id, SpineStatus="completed")


async def test_a_fork_and_a_session_that_is_opened_again_set_what_they_used_themselves(indexed: Client) -> None:
    async with worker_for(indexed, priced()) as worker:
        durable, session = DurableAgent("priced", indexed, task_queue=worker.task_queue), uuid.uuid4().hex
        first = await durable.run("go", session_id=session)
        await durable.get_run(session).stop()
        await attributes_of(indexed, f"spine-{session}", SpineStatus="completed")
        again = await durable.run("go", session_id=session)
        reopened = await attributes_of(indexed, f"spine-{session}", SpineStatus="idle")
        fork = await durable.get_run(session).fork(step=1, input="rather")
        await fork.result()
        forked = await attributes_of(indexed, fork.workflow_id, SpineStopReason="final")

    assert (first.usage.cost_usd, again.usage.cost_usd, again.state.step) == (0.25, 0.5, 2)
    for found in (reopened, forked):
        assert (found["SpineStep"], found["SpineTokens"], found["SpineCostUsd"]) == (1, 15, 0.25)


async def test_an_execution_that_continues_another_has_what_both_used(indexed: Client) -> None:
    async with worker_for(indexed, priced(), continue_policy=ContinuePolicy(events=1)) as worker:
        durable, session = DurableAgent("priced", indexed, task_queue=worker.task_queue), uuid.uuid4().hex
        for _ in range(3):
            await durable.run("go", session_id=session)

        found = await attributes_of(indexed, f"spine-{session}", SpineStatus="idle", SpineStep=3)

    assert (found["SpineTokens"], found["SpineCostUsd"], found["SpineTenant"]) == (45, 0.75, "acme")


@pytest.mark.parametrize("have", [{}, _TWO, {"SpineStep": "Keyword", "SpineTokens": "Int"}], ids=["none", "two", "odd"])
async def test_a_server_that_lacks_some_runs_agents_and_is_named_in_one_warning(
    have: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        dev_server(search_attributes=have, spine_attributes=False) as server,
        AgentWorker(server.client, agents=[priced(), payer()], task_queue="q"),
    ):
        caplog.set_level(logging.WARNING)
        results = [await DurableAgent(each, server.client, task_queue="q").run("go") for each in ("priced", "payer")]
        rows = await listed(server.client, "WorkflowType = 'spine.agent'", 2)

    there = {name for name, type_ in have.items() if (name, type_) != ("SpineStep", "Keyword")}
    assert [result.stopped_reason.value for result in results] == ["final", "interrupt"]
    assert all(set(row.search_attributes.indexed_fields) & set(NAMES) <= there for row in rows)
    (warning,) = [record.getMessage() for record in caplog.records if "search attributes" in record.getMessage()]
    assert "`spine-temporal init`" in warning
    assert all((name in warning.partition(";")[0]) == (name not in there) for name in NAMES)
