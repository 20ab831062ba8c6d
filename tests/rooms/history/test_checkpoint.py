"""TemporalCheckpoint is a CheckpointStore, as the kernel and its other backends know it."""

import asyncio
import uuid
from importlib.metadata import entry_points
from typing import Any

import pytest
from spine_core import (
    CheckpointStore,
    InMemoryCheckpointStore,
    Message,
    RunStatus,
    State,
    ToolCall,
    Usage,
    resolve_checkpoint,
)
from spine_core.state import PendingApproval
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, DeleteWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError

from spine_temporal import TemporalCheckpoint
from spine_temporal.checkpoint import write
from spine_temporal.contracts import names
from spine_temporal.errors import NotAnAgentRun
from tests.support.waiting import until

pytestmark = pytest.mark.durable


def rich_state(session_id: str) -> State:
    """A State with something in every field."""
    call = ToolCall(id="c1", name="pay", arguments={"amount": 3, "rush": True, "note": None, "at": [1, 1.5, "é"]})
    return State(
        session_id=session_id,
        tenant_id="acme",
        messages=[
            Message.system("You pay invoices."),
            Message.user_parts([{"type": "text", "text": "this one"}, {"type": "image", "data": "aGk="}]),
            Message.assistant("paying", [call, ToolCall(id="c2", name="log")]),
            Message.tool("ok", "c2", "log"),
        ],
        step=4,
        usage=Usage(input_tokens=12, output_tokens=3, cost_usd=0.25),
        status=RunStatus.INTERRUPTED,
        depth=1,
        pending=PendingApproval(call=call, mode="manual", payload={"ask": ["sure?"]}),
        scratch={"deferred_calls": [call.model_dump()], "found": {"a": [1, 2], "b": {}}, "flag": False},
    )


async def history_length(client: Client, session_id: str) -> int:
    handle = client.get_workflow_handle(f"{names.CHECKPOINT_ID_PREFIX}{session_id}")
    try:
        return len([event async for event in handle.fetch_history_events()])
    except RPCError:
        return 0


async def count_listed(client: Client, run_ids: set[str]) -> int:
    return len([each async for each in client.list_workflows() if each.run_id in run_ids])


@pytest.fixture
def session_id() -> str:
    return uuid.uuid4().hex


def test_it_is_a_checkpoint_store_registered_as_temporal() -> None:
    (entry,) = entry_points(group="spine.plugins", name="backend_temporal")

    assert entry.load() is TemporalCheckpoint
    store = resolve_checkpoint("temporal", task_queue="agents")
    assert isinstance(store, TemporalCheckpoint)
    assert isinstance(store, CheckpointStore)
    assert store.task_queue == "agents"


async def test_a_missing_session_is_none(client: Client, session_id: str) -> None:
    assert await TemporalCheckpoint(client).get(session_id) is None


async def test_a_rich_state_comes_back_equal(client: Client, session_id: str) -> None:
    state = rich_state(session_id)

    await TemporalCheckpoint(client).put(state)

    assert await TemporalCheckpoint(client).get(session_id) == state


async def test_every_field_can_be_overwritten(client: Client, session_id: str) -> None:
    store, state = TemporalCheckpoint(client), rich_state(session_id)
    await store.put(state)
    state.messages[2] = Message.assistant("never mind")
    state.messages[1:2] = []
    state.scratch["found"]["a"].append(3)
    del state.scratch["flag"]
    state.pending, state.tenant_id, state.status = None, None, RunStatus.DONE
    state.step, state.depth, state.usage = 5, 0, Usage()

    await store.put(state)

    assert await store.get(session_id) == state
    assert await TemporalCheckpoint(client).get(session_id) == state


async def test_a_deleted_session_is_none_and_a_later_put_starts_anew(client: Client, session_id: str) -> None:
    store, other = TemporalCheckpoint(client), TemporalCheckpoint(client)
    await store.put(rich_state(session_id))
    await other.get(session_id)

    await store.delete(session_id)
    assert await store.get(session_id) is None
    assert await other.get(session_id) is None

    fresh = State(session_id=session_id, messages=[Message.user("hello")])
    await other.put(fresh)
    assert await store.get(session_id) == fresh


async def test_deleting_a_missing_session_is_no_error(client: Client, session_id: str) -> None:
    await TemporalCheckpoint(client).delete(session_id)


async def test_a_put_behind_the_back_of_a_deletion_starts_anew(client: Client, session_id: str) -> None:
    store, other = TemporalCheckpoint(client), TemporalCheckpoint(client)
    state = rich_state(session_id)
    await store.put(state)
    await other.delete(session_id)

    await store.put(state)

    assert await other.get(session_id) == state


async def test_a_put_that_changes_nothing_adds_nothing(client: Client, session_id: str) -> None:
    store, state = TemporalCheckpoint(client), rich_state(session_id)
    await store.put(state)
    before = await history_length(client, session_id)

    await store.put(state)
    await TemporalCheckpoint(client).put(state.model_copy(deep=True))

    assert await history_length(client, session_id) == before


async def test_what_is_got_is_the_callers_own(client: Client, session_id: str) -> None:
    store = TemporalCheckpoint(client)
    await store.put(rich_state(session_id))
    got = await store.get(session_id)
    assert got is not None
    got.messages.append(Message.user("more"))
    got.messages[0].content = "You pay nothing."
    got.scratch["found"]["a"].append(3)

    assert await store.get(session_id) == rich_state(session_id)
    await store.put(got)

    assert await store.get(session_id) == got


async def test_a_value_that_only_json_tells_apart_is_stored(client: Client, session_id: str) -> None:
    store, state = TemporalCheckpoint(client), rich_state(session_id)
    await store.put(state)
    state.messages[2].tool_calls[0].arguments["amount"] = True
    assert state.pending is not None
    state.pending.payload = {"ask": [1]}
    await store.put(state)
    state.pending.payload = {"ask": [True]}
    await store.put(state)

    got = await TemporalCheckpoint(client).get(session_id)

    assert got is not None
    assert got.model_dump_json() == state.model_dump_json()


async def test_many_sessions_at_once_do_not_meet(client: Client) -> None:
    store, memory = TemporalCheckpoint(client, cache_bytes=4_000), InMemoryCheckpointStore()
    sessions = [uuid.uuid4().hex for _ in range(20)]

    async def converse(session_id: str) -> None:
        state = State(session_id=session_id)
        for turn in range(5):
            state.add_message(Message.user(f"{session_id} {turn} {'word ' * 50}"))
            await store.put(state)
            await memory.put(state)

    await asyncio.gather(*map(converse, sessions))

    for session_id in sessions:
        assert await store.get(session_id) == await memory.get(session_id)


async def test_an_id_of_another_workflow_is_refused(client: Client, session_id: str) -> None:
    for prefix in (names.CHECKPOINT_ID_PREFIX, names.WORKFLOW_ID_PREFIX):
        session = f"{session_id}{prefix}"
        await client.start_workflow("Payroll", id=f"{prefix}{session}", task_queue="payroll")

        with pytest.raises(NotAnAgentRun, match="'Payroll'"):
            await TemporalCheckpoint(client).put(State(session_id=session))
        with pytest.raises(NotAnAgentRun, match="'Payroll'"):
            await TemporalCheckpoint(client).get(session)


async def test_a_session_named_like_the_holder_of_another_is_its_own(client: Client, session_id: str) -> None:
    # Their workflows are `spine-checkpoint-X` twice: the run of "checkpoint-X", the holder of "X".
    store = TemporalCheckpoint(client)
    first = State(session_id=session_id, messages=[Message.user("one")])
    second = State(session_id=f"checkpoint-{session_id}", messages=[Message.user("two")])
    await store.put(first)
    await store.put(second)

    assert await store.get(second.session_id) == second
    await store.delete(second.session_id)
    assert await store.get(first.session_id) == first


@pytest.mark.parametrize("name", ["it's", "back\\slash", '"quoted"', "100 % _", "ümlaut/../x y", "a~b"])
async def test_any_session_id_will_do(client: Client, session_id: str, name: str) -> None:
    store, state = TemporalCheckpoint(client), State(session_id=f"{session_id} {name}")
    for turn in range(2):
        state.add_message(Message.user(f"turn {turn}"))
        await store.put(state)
        assert await store.get(state.session_id) == state

        await store.delete(state.session_id)
        assert await store.get(state.session_id) is None


@pytest.mark.parametrize("name", ["it's", "back\\slash", '"quoted"', "100 % _"])
async def test_every_execution_of_a_session_is_deleted(
    client: Client, session_id: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "MAX_SIGNALS", 1)
    asked: list[str] = []
    delete = client.workflow_service.delete_workflow_execution

    async def watch(request: DeleteWorkflowExecutionRequest, **options: Any) -> DeleteWorkflowExecutionResponse:
        asked.append(request.workflow_execution.run_id)
        return await delete(request, **options)

    monkeypatch.setattr(client.workflow_service, "delete_workflow_execution", watch)
    store, state, begun = TemporalCheckpoint(client), State(session_id=f"{session_id} {name}"), set[str]()
    holder = client.get_workflow_handle(f"{names.CHECKPOINT_ID_PREFIX}{state.session_id}")
    for turn in range(3):
        state.add_message(Message.user(f"turn {turn}"))
        await store.put(state)
        begun.add((await holder.describe()).run_id)

    async def listed() -> bool:
        return await count_listed(client, begun) == len(begun)

    await until(listed, "a list of all of its executions")

    await store.delete(state.session_id)

    assert len(begun) == 3
    assert set(asked) == begun
