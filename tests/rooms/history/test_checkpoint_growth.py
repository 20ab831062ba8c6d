"""Sessions that outgrow a signal, a payload, a history."""

import random
import uuid
from typing import Any

import pytest
from spine_core import Message, State
from temporalio.client import Client, Interceptor, OutboundInterceptor, SignalWorkflowInput, StartWorkflowInput

from spine_temporal import TemporalCheckpoint
from spine_temporal.checkpoint import records, write
from spine_temporal.checkpoint.carrier import read_holder
from spine_temporal.contracts import names
from spine_temporal.errors import InputTooLarge

pytestmark = pytest.mark.durable


class ProcessDied(Exception):
    """What a caller never sees: the process ended there."""


class Dying(Interceptor):
    """A client whose process dies before it sends the signal after the next `left` ones."""

    def __init__(self) -> None:
        self.left = 10**6

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return DyingCalls(next, self)


class DyingCalls(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, dying: Dying) -> None:
        super().__init__(next)
        self.dying = dying

    async def start_workflow(self, input: StartWorkflowInput) -> Any:
        self.send()
        return await super().start_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        self.send()
        await super().signal_workflow(input)

    def send(self) -> None:
        if not self.dying.left:
            raise ProcessDied
        self.dying.left -= 1


def noise(size: int) -> str:
    """Text that compresses by a quarter at most."""
    return random.Random(size).randbytes(size // 2).hex()


def holder_of(state: State) -> str:
    return f"{names.CHECKPOINT_ID_PREFIX}{state.session_id}"


async def is_gone(client: Client, workflow_id: str) -> bool:
    """Its history says that it was deleted, or the server has removed the history already."""
    holder = await read_holder(client, workflow_id)
    return holder.deleted_s > 0 or (holder.run_id is None and not holder.chain.signals)


async def run_id_of(client: Client, state: State) -> str | None:
    return (await read_holder(client, holder_of(state))).run_id


@pytest.fixture
def state() -> State:
    return State(session_id=uuid.uuid4().hex, messages=[Message.user("hello")])


async def test_a_chain_of_a_thousand_puts_is_started_anew_without_loss(client: Client, state: State) -> None:
    store = TemporalCheckpoint(client)
    await store.put(state)
    first = await run_id_of(client, state)
    for turn in range(1_010):
        state.add_message(Message.user(f"turn {turn}"))
        await store.put(state)

    assert await run_id_of(client, state) != first
    assert (await read_holder(client, holder_of(state))).chain.signals < 100
    assert await TemporalCheckpoint(client).get(state.session_id) == state


async def test_a_heavy_history_is_started_anew_without_loss(client: Client, state: State) -> None:
    store = TemporalCheckpoint(client)
    await store.put(state)
    first = await run_id_of(client, state)
    for turn in range(12):
        state.messages = [Message.user(f"turn {turn} {noise(500_000)}")]
        await store.put(state)

    assert await run_id_of(client, state) != first
    assert await TemporalCheckpoint(client).get(state.session_id) == state


async def test_a_store_goes_on_after_another_one_started_the_history_anew(
    client: Client, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "MAX_SIGNALS", 3)
    first, second = TemporalCheckpoint(client), TemporalCheckpoint(client)
    await first.put(state)
    begun = await run_id_of(client, state)
    for turn in range(4):
        state.add_message(Message.user(f"turn {turn}"))
        await second.put(state)
    assert await run_id_of(client, state) != begun

    state.add_message(Message.user("last turn"))
    await first.put(state)

    assert await TemporalCheckpoint(client).get(state.session_id) == state


async def test_a_large_change_is_put_in_parts(client: Client, state: State) -> None:
    store = TemporalCheckpoint(client)
    await store.put(state)
    state.add_message(Message.user(noise(9_000_000)))

    await store.put(state)

    assert (await read_holder(client, holder_of(state))).chain.signals > 2
    assert await TemporalCheckpoint(client).get(state.session_id) == state


async def test_a_large_state_is_put_begun_anew_and_deleted(client: Client, state: State) -> None:
    store = TemporalCheckpoint(client)
    state.add_message(Message.user(noise(6_000_000)))
    await store.put(state)
    (stage,) = (await read_holder(client, holder_of(state))).chain.holders
    assert await TemporalCheckpoint(client).get(state.session_id) == state

    for turn in range(8):
        state.messages[0] = Message.user(f"turn {turn} {noise(1_000_000)}")
        await store.put(state)
    (later,) = (await read_holder(client, holder_of(state))).chain.holders
    assert later != stage
    assert await is_gone(client, stage)
    assert await TemporalCheckpoint(client).get(state.session_id) == state

    await store.delete(state.session_id)
    assert await store.get(state.session_id) is None
    assert await is_gone(client, later)


@pytest.mark.parametrize("sent", range(4))
async def test_a_process_that_dies_while_it_puts_leaves_what_was_there(
    client: Client, state: State, monkeypatch: pytest.MonkeyPatch, sent: int
) -> None:
    monkeypatch.setattr(records, "_ROOM_BYTES", 30_000)
    dying = Dying()
    config = client.config(active_config=True)
    config["interceptors"] = [dying]
    store = TemporalCheckpoint(Client(**config))
    await store.put(state)
    before = state.model_copy(deep=True)

    for change in (noise(160_000), noise(150_000)):
        # The second time the State is put, no change, into a holder begun anew.
        monkeypatch.setattr(write, "MAX_SIGNALS", 1_000 if change == noise(160_000) else 1)
        dying.left = sent
        state.messages = [Message.user(change)]
        with pytest.raises(ProcessDied):
            await store.put(state)
        assert await TemporalCheckpoint(client).get(state.session_id) == before

    dying.left = 100
    await store.put(state)
    assert await TemporalCheckpoint(client).get(state.session_id) == state


async def test_what_no_history_holds_is_refused_and_what_was_there_stays(
    client: Client, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TemporalCheckpoint(client)
    await store.put(state)
    before = state.model_copy(deep=True)
    monkeypatch.setattr(records, "_ROOM_BYTES", 4_000)
    state.add_message(Message.user(noise(200_000)))

    with pytest.raises(InputTooLarge, match="does not fit into a Temporal history"):
        await store.put(state)

    assert await store.get(state.session_id) == before
