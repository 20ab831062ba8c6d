"""The runs there are, as models: what a list knows, what it says of what it could not read."""

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from spine_core import Agent, StopReason, tool
from spine_core.testing import ScriptedProvider, calls, text
from temporalio.client import Client

from spine_temporal import AgentWorker, DurableAgent
from spine_temporal.client.inbox import read_inbox
from spine_temporal.client.run_filter import RunFilter
from spine_temporal.client.run_summary import RunSummary
from spine_temporal.client.runs import find_run, list_runs
from spine_temporal.contracts import names
from spine_temporal.testing import dev_server
from tests.support.agents_at_hand import adding_agent
from tests.support.waiting import until

pytestmark = pytest.mark.durable

_BOUND_S = 180.0
_ATTRIBUTES = {names.STATUS_ATTRIBUTE: "Keyword", names.AGENT_ATTRIBUTE: "Keyword"}


@tool(approve=True)
async def pay(amount: int, to: str) -> str:
    """Pay an invoice."""
    return f"paid {amount} to {to}"


class Down:
    """A provider that refuses every request."""

    async def complete(self, *_: Any, **__: Any) -> Any:
        raise ValueError("the key is not valid")


@pytest_asyncio.fixture
async def queue(client: Client) -> AsyncIterator[str]:
    """A task queue with a worker for three agents."""
    queue = f"runs-{uuid.uuid4().hex}"
    payer = Agent(ScriptedProvider(calls(("pay", {"amount": 5, "to": "acme"})), text("paid")), tools=[pay])
    async with AgentWorker(
        client, agents={"down": Agent(Down()), "adder": adding_agent(), "payer": payer}, task_queue=queue
    ):
        yield queue


async def test_a_session_whose_turn_failed_is_listed_as_failed_while_it_is_open(client: Client, queue: str) -> None:
    session = uuid.uuid4().hex
    await DurableAgent("down", client, task_queue=queue).run("go", session_id=session)

    row = await _listed(client, session, "failed")

    assert (row.status, row.open, row.reason) == ("failed", True, StopReason.ERROR)
    idle = (await list_runs(client, RunFilter(agent="down", status="idle"), limit=1000)).runs
    assert session not in [run.id for run in idle]
    await (await find_run(client, session)).run.stop()
    closed = await _listed(client, session, "failed", lambda row: not row.open)
    assert closed.reason is StopReason.ERROR


async def test_search_attributes_find_failed_sessions_too() -> None:
    async with (
        dev_server(search_attributes=_ATTRIBUTES, spine_attributes=False) as server,
        AgentWorker(server.client, agents={"it's": Agent(Down()), "adder": adding_agent()}, task_queue="q"),
    ):
        await DurableAgent("it's", server.client, task_queue="q").run("go", session_id="failed")
        await DurableAgent("adder", server.client, task_queue="q").run("1 + 2?", session_id="fine")
        await _listed(server.client, "fine", "idle")
        await _listed(server.client, "failed", "failed")

        failed = await list_runs(server.client, RunFilter(status="failed"), limit=10)
        of_agent = await list_runs(server.client, RunFilter(agent="it's"), limit=10)

    assert [run.id for run in failed.runs] == ["failed"]
    assert [run.id for run in of_agent.runs] == ["failed"]


async def test_the_time_at_work_does_not_grow_while_a_session_waits_for_its_turn(client: Client, queue: str) -> None:
    session = uuid.uuid4().hex
    await DurableAgent("adder", client, task_queue=queue).run("1 + 2?", session_id=session)

    first, again = await _listed(client, session, "idle"), await _listed(client, session, "idle")

    assert first.duration_s
    assert again.duration_s == first.duration_s


async def test_the_time_at_work_does_not_grow_while_a_person_is_waited_for(client: Client, queue: str) -> None:
    session = uuid.uuid4().hex
    await DurableAgent("payer", client, task_queue=queue).run("pay", session_id=session)

    first, again = await _listed(client, session, "paused"), await _listed(client, session, "paused")

    assert (first.reason, again.duration_s) == (StopReason.INTERRUPT, first.duration_s)


async def test_a_run_that_no_worker_has_begun_on_has_not_worked(client: Client) -> None:
    session = uuid.uuid4().hex
    await DurableAgent("adder", client, task_queue="nobody-polls").start("1 + 2?", session_id=session)

    assert (await _listed(client, session, "running")).duration_s == 0.0


async def test_what_could_not_be_read_is_counted_and_hides_nothing() -> None:
    async with (
        dev_server() as server,
        AgentWorker(server.client, agents={"adder": adding_agent()}, task_queue="q"),
    ):
        await DurableAgent("adder", server.client, task_queue="q").run("1 + 2?", session_id="fine")
        await server.client.start_workflow(
            names.AGENT_WORKFLOW, "garbage", id="spine-garbage", task_queue="nobody", memo={"spine": _paused()}
        )
        await _listed(server.client, "fine", "idle")
        await _listed(server.client, "garbage", "paused")

        listed = await list_runs(server.client, RunFilter(), limit=10)
        inbox = await read_inbox(server.client, agent=None, limit=10)

    assert [(run.id, run.agent) for run in listed.runs] == [("garbage", "clerk"), ("fine", "adder")]
    assert [run.id for run in listed.unread] == ["garbage"]
    assert "was not started with" in listed.unread[0].problem
    assert [run.id for run in inbox.unread] == ["garbage"]
    assert inbox.approvals == ()


async def test_a_row_is_json_as_it_is(client: Client, queue: str) -> None:
    session = uuid.uuid4().hex
    await DurableAgent("adder", client, task_queue=queue).run("1 + 2?", session_id=session)

    row = (await _listed(client, session, "idle")).to_json()

    assert (row["session_id"], row["agent"], row["input"], row["reason"]) == (session, "adder", "1 + 2?", "final")
    assert row["started"].startswith("20")


async def test_a_run_is_found_by_what_a_list_calls_it_whatever_its_prefix(client: Client) -> None:
    session = uuid.uuid4().hex
    agent = DurableAgent("adder", client, task_queue="nobody-polls", workflow_id_prefix="acme:")
    await agent.start("1 + 2?", session_id=session)

    row = await _listed(client, f"acme:{session}", "running")
    found = await find_run(client, row.id)

    assert (row.session_id, found.run.id, found.run.workflow_id) == (session, session, f"acme:{session}")


def _paused() -> dict[str, Any]:
    return {"agent": "clerk", "session_id": "garbage", "status": "paused", "number": 1}


async def _listed(
    client: Client, id_: str, status: str, holds: Callable[[RunSummary], bool] = lambda _: True
) -> RunSummary:
    """The row of that run, once the server's lists, which are a moment behind, have it in that state."""

    async def found() -> RunSummary | None:
        rows = (await list_runs(client, RunFilter(status=status), limit=1000)).runs
        return next((row for row in rows if row.id == id_ and holds(row)), None)

    row = await until(found, f"the row of {id_}")
    assert row is not None
    return row
