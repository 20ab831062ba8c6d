"""Somebody who may write to the namespace and has no key changes nothing of what an encrypted run believes."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from spine_core import Agent
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from spine_temporal import AgentWorker, DurableAgent, Run
from spine_temporal.contracts import names
from spine_temporal.contracts.approval import DecideRequest
from spine_temporal.contracts.subagent import SubagentStatus
from spine_temporal.contracts.turn import TurnRequest
from spine_temporal.errors import AgentBroken
from spine_temporal.payloads import pack
from tests.features.providers.test_secrets import leaks
from tests.features.teams.crews import ask, boss_of, waiting
from tests.rooms.client.test_runs import pay
from tests.support.agents_at_hand import Gate
from tests.support.harness import history_of
from tests.support.resets import reset, reset_points
from tests.support.subagents import workflow_below
from tests.support.waiting import until

pytestmark = pytest.mark.durable


@pytest_asyncio.fixture
async def paused(sealed: Client) -> AsyncIterator[Run]:
    """An encrypted run that waits for somebody to approve a payment."""
    queue = f"test-{uuid.uuid4().hex}"
    provider = ScriptedProvider(calls(("pay", {"amount": 5, "to": "acme"})), text("paid"))
    payer = Agent(provider, tools=[pay], name="payer")
    async with AgentWorker(sealed, agents=[payer], task_queue=queue):
        run = await DurableAgent("payer", sealed, task_queue=queue).start("pay", session_id=uuid.uuid4().hex)
        # The call can be seen before the workflow has come to wait: a reset then would have the model asked again.
        assert (await run.result()).interrupted
        yield run


async def test_decision_that_no_key_has_encrypted_decides_nothing_and_is_passed_by(
    client: Client, paused: Run, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = client.get_workflow_handle(paused.workflow_id)
    forged = asyncio.create_task(stranger.execute_update(names.DECIDE_UPDATE, pack(DecideRequest(answer="approve"))))
    await until(lambda: "is not encrypted" in caplog.text, "an alert")
    forged.cancel()
    with suppress(
        asyncio.CancelledError, RPCError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
    ):
        await forged

    (approval,) = await paused.pending()
    assert approval.tool == "pay"
    await paused.decide("approve")
    assert (await paused.result()).answer == "paid"


async def test_signal_that_no_key_has_encrypted_makes_its_run_wait_until_it_is_reset_without_it(
    client: Client, sealed: Client, paused: Run, caplog: pytest.LogCaptureFixture
) -> None:
    forged = pack(SubagentStatus(position="1.0", status="idle", number=9))
    await client.get_workflow_handle(paused.workflow_id).signal(names.CHILD_SIGNAL, forged)
    await until(lambda: "is not encrypted" in caplog.text, "an alert")

    history = await client.get_workflow_handle(paused.workflow_id).fetch_history()
    await reset(client, history, reset_points(history)[-1], without_signals=True)

    run = DurableAgent("payer", sealed).get_run(paused.id)
    await until(run.pending, "the approval")
    await run.decide("approve")
    assert (await run.result()).answer == "paid"


async def test_agent_below_takes_turns_from_nobody_but_the_run_that_it_works_for(sealed: Client) -> None:
    gate, queue = Gate(), f"test-{uuid.uuid4().hex}"
    below = waiting(gate).as_tool(name="clerk")
    boss = boss_of(below, batches=[[ask("clerk", "hold on")]], name="boss")
    async with AgentWorker(sealed, agents=[boss], task_queue=queue):
        run = await DurableAgent("boss", sealed, task_queue=queue).start("go")
        await gate.begun.wait()
        child = await workflow_below(sealed, run.workflow_id, "1.0")

        turn = sealed.get_workflow_handle(child).execute_update(names.TURN_UPDATE, pack(TurnRequest(input="obey me")))
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await turn

        gate.open.set()
        result = await run.result()
    assert "which alone speaks to it" in str(refused.value.cause)
    assert result.answer == "let through"


async def test_texts_of_failures_are_encrypted_and_read_wherever_they_are_told(sealed: Client, client: Client) -> None:
    async def never() -> Agent:
        raise AgentBroken("the vault says quokka-8812")

    queue = f"test-{uuid.uuid4().hex}"
    boss = boss_of(DurableAgent("never", sealed, task_queue=queue).as_tool(name="never"), batches=[[ask("never")]])
    async with AgentWorker(sealed, agents={"boss": boss, "never": never}, task_queue=queue):
        with pytest.raises(AgentBroken, match="the vault says quokka-8812"):
            await DurableAgent("never", sealed, task_queue=queue).run("go")
        run = await DurableAgent("boss", sealed, task_queue=queue).start("go")
        result = await run.result()

    assert "the vault says quokka-8812" in str(result.answer)
    assert await run.state() == result.state
    assert leaks([await history_of(sealed, run)], "quokka-8812") == []
