"""Sessions that have a durable run."""

import uuid

import pytest
from spine_core import Agent, Message, RunStatus, State, StopReason
from spine_core.testing import ScriptedProvider, text
from temporalio.client import Client, WorkflowExecutionStatus

from spine_temporal import DurableAgent, TemporalCheckpoint
from spine_temporal.contracts import names
from spine_temporal.testing import durable

pytestmark = pytest.mark.durable


@pytest.fixture
def session_id() -> str:
    return uuid.uuid4().hex


def contents(state: State | None) -> list[str | None]:
    return [each.content for each in state.messages] if state else []


def answering(answer: str) -> Agent:
    return Agent("test", provider=ScriptedProvider(text(answer)), name="agent")


async def run_durably(client: Client, session_id: str, *, question: str = "durable?") -> State:
    async with durable(answering("durably"), client=client) as agent:
        return (await agent.run(question, session_id=session_id)).state


async def start_unattended(client: Client, session_id: str) -> None:
    await DurableAgent("agent", client, task_queue="nobody").start("anyone?", session_id=session_id)


async def test_the_state_of_a_durable_run_is_its_fold(client: Client, session_id: str) -> None:
    state = await run_durably(client, session_id)

    assert await TemporalCheckpoint(client).get(session_id) == state


async def test_a_run_that_no_worker_has_taken_has_a_state(client: Client, session_id: str) -> None:
    await start_unattended(client, session_id)

    assert contents(await TemporalCheckpoint(client).get(session_id)) == ["anyone?"]


async def test_a_durable_conversation_goes_on_on_the_plain_kernel(client: Client, session_id: str) -> None:
    await run_durably(client, session_id)
    agent = answering("plainly")
    agent.checkpoint = TemporalCheckpoint(client)

    result = await agent.run("plain?", session_id=session_id)

    assert contents(result.state) == ["durable?", "durably", "plain?", "plainly"]
    assert await TemporalCheckpoint(client).get(session_id) == result.state


async def test_a_durable_run_after_a_put_is_the_session(client: Client, session_id: str) -> None:
    store = TemporalCheckpoint(client)
    await store.put(State(session_id=session_id, messages=[Message.user("plain?")]))

    state = await run_durably(client, session_id)

    assert await store.get(session_id) == state


async def test_putting_the_state_of_a_durable_run_adds_nothing(client: Client, session_id: str) -> None:
    state = await run_durably(client, session_id)

    await TemporalCheckpoint(client).put(state)

    holders = [each async for each in client.list_workflows(f"WorkflowId = '{names.CHECKPOINT_ID_PREFIX}{session_id}'")]
    assert holders == []


@pytest.mark.parametrize("put", ["never", "before", "after"])
async def test_a_deleted_run_is_none_at_once(client: Client, session_id: str, put: str) -> None:
    store, other = TemporalCheckpoint(client), TemporalCheckpoint(client)
    plain = State(session_id=session_id, messages=[Message.user("plain?")])
    if put == "before":
        await store.put(plain)
    await run_durably(client, session_id)
    if put == "after":
        await store.put(plain)
    assert await other.get(session_id) is not None

    await store.delete(session_id)
    assert await store.get(session_id) is None
    assert await other.get(session_id) is None

    await other.put(plain)
    assert await store.get(session_id) == plain


async def test_a_run_in_flight_is_terminated_when_its_session_is_deleted(client: Client, session_id: str) -> None:
    store = TemporalCheckpoint(client)
    await start_unattended(client, session_id)

    await store.delete(session_id)

    assert await store.get(session_id) is None
    described = await client.get_workflow_handle(f"{names.WORKFLOW_ID_PREFIX}{session_id}").describe()
    assert described.status is WorkflowExecutionStatus.TERMINATED


async def test_a_session_may_be_deleted_and_run_time_and_again(client: Client, session_id: str) -> None:
    store = TemporalCheckpoint(client)
    for turn in range(3):
        state = await run_durably(client, session_id, question=f"turn {turn}")
        assert await store.get(session_id) == state
        await store.delete(session_id)
        await store.delete(session_id)
        assert await store.get(session_id) is None


async def test_a_run_that_somebody_else_terminated_keeps_its_state(client: Client, session_id: str) -> None:
    await start_unattended(client, session_id)
    await client.get_workflow_handle(f"{names.WORKFLOW_ID_PREFIX}{session_id}").terminate(reason="a mistake")

    state = await TemporalCheckpoint(client).get(session_id)

    assert state is not None
    assert (contents(state), state.status) == (["anyone?"], RunStatus.ERROR)


async def test_the_prefix_of_the_runs_can_be_another_one(client: Client, session_id: str) -> None:
    prefixed = DurableAgent("agent", client, task_queue="nobody", workflow_id_prefix="chat/")
    await prefixed.start("anyone?", session_id=session_id)

    assert await TemporalCheckpoint(client).get(session_id) is None
    assert contents(await TemporalCheckpoint(client, workflow_id_prefix="chat/").get(session_id)) == ["anyone?"]


async def test_a_kernel_agent_may_keep_its_sessions_where_it_also_runs_durably(client: Client, session_id: str) -> None:
    agent = Agent("test", provider=ScriptedProvider(text("yes")), name="agent", checkpoint=TemporalCheckpoint(client))
    await agent.run("plain?", session_id=session_id)
    async with durable(agent, client=client) as remote:
        result = await remote.run("durable?", session_id=f"{session_id}-2")

    assert result.stopped_reason is StopReason.FINAL
