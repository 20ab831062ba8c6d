"""The workflow `spine.checkpoint` on a worker."""

import asyncio
import uuid
from collections.abc import Sequence

import pytest
from spine_core import Message, State
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.converter import DataConverter, PayloadCodec

from spine_temporal import AgentWorker, TemporalCheckpoint
from spine_temporal.contracts import names
from tests.support.harness import replay_in_sandbox
from tests.support.waiting import until

pytestmark = pytest.mark.durable


class Scrambled(PayloadCodec):
    """Stands for encryption."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"binary/scrambled"}, data=_scramble(each.SerializeToString()))
            for each in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(_scramble(each.data)) for each in payloads]


def _scramble(data: bytes) -> bytes:
    return bytes(byte ^ 0x5A for byte in data)


def holder(client: Client, state: State) -> WorkflowHandle[object, object]:
    return client.get_workflow_handle(f"{names.CHECKPOINT_ID_PREFIX}{state.session_id}")


async def has_seen(client: Client, state: State, signals: int) -> None:
    """Wait until a worker has taken that many signals."""

    async def taken() -> bool:
        history = await holder(client, state).fetch_history()
        signaled = [each for each in history.events if each.HasField("workflow_execution_signaled_event_attributes")]
        done = history.events[-1].HasField("workflow_task_completed_event_attributes")
        return done and len(signaled) == signals

    await until(taken, f"{signals} signals that a worker has taken")


@pytest.fixture
def state() -> State:
    return State(session_id=uuid.uuid4().hex, messages=[Message.user("hello")])


async def test_a_worker_leaves_the_holder_open_and_its_history_replays(client: Client, state: State) -> None:
    task_queue = uuid.uuid4().hex
    store = TemporalCheckpoint(client, task_queue=task_queue)
    await store.put(state)
    async with AgentWorker(client, agents=[], task_queue=task_queue, max_cached_workflows=0):
        for turn in range(3):
            await has_seen(client, state, turn + 1)
            state.add_message(Message.user(f"turn {turn}"))
            await store.put(state)
        await has_seen(client, state, 4)
        assert (await holder(client, state).describe()).status is WorkflowExecutionStatus.RUNNING
        assert await TemporalCheckpoint(client).get(state.session_id) == state
        history = await holder(client, state).fetch_history()

        await store.delete(state.session_id)
        assert await store.get(state.session_id) is None

    await replay_in_sandbox(history)


async def test_a_holder_that_somebody_cancelled_is_read_and_begun_anew(client: Client, state: State) -> None:
    task_queue = uuid.uuid4().hex
    store = TemporalCheckpoint(client, task_queue=task_queue)
    await store.put(state)
    cancelled = holder(client, state)
    async with AgentWorker(client, agents=[], task_queue=task_queue):
        await cancelled.cancel()
        async with asyncio.timeout(30):
            while (await cancelled.describe()).status is WorkflowExecutionStatus.RUNNING:
                await asyncio.sleep(0.01)

    assert await store.get(state.session_id) == state
    state.add_message(Message.user("more"))
    await store.put(state)

    assert await TemporalCheckpoint(client).get(state.session_id) == state
    assert (await holder(client, state).describe()).status is WorkflowExecutionStatus.RUNNING


async def test_the_clients_codec_covers_what_is_stored(client: Client, state: State) -> None:
    config = client.config(active_config=True)
    config["data_converter"] = DataConverter(payload_codec=Scrambled())
    store = TemporalCheckpoint(Client(**config))
    await store.put(state)
    state.add_message(Message.user("the secret " * 10_000))
    await store.put(state)

    assert await store.get(state.session_id) == state
    history = await holder(client, state).fetch_history()
    payloads = [
        payload
        for event in history.events
        for payload in event.workflow_execution_signaled_event_attributes.input.payloads
    ]
    assert len(payloads) == 4
    assert {bytes(payload.metadata["encoding"]) for payload in payloads} == {b"binary/scrambled"}
    assert not any(b"hello" in payload.data for payload in payloads)
