"""Two stores on one session, as two processes are: the last put wins."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spine_core import InMemoryCheckpointStore, Message, State, ToolCall
from temporalio.client import Client

from spine_temporal import TemporalCheckpoint
from spine_temporal.checkpoint import write

pytestmark = pytest.mark.durable

type Edit = Callable[[State], None]

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from([0.0, 1.0]), st.text(max_size=5))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
TEXTS = st.sampled_from(["", "yes", "no", "long " * 20_000]) | st.text(max_size=20)
MESSAGES = st.one_of(
    TEXTS.map(Message.user),
    st.builds(lambda value: Message.assistant(None, [ToolCall(id="c", name="t", arguments={"v": value})]), VALUES),
)
PLACES = st.integers(0, 5)


def append(message: Message) -> Edit:
    return lambda state: state.messages.append(message.model_copy(deep=True))


def insert(place: int, message: Message) -> Edit:
    return lambda state: state.messages.insert(place, message.model_copy(deep=True))


def rewrite(place: int, content: str) -> Edit:
    def edit(state: State) -> None:
        if place < len(state.messages):
            state.messages[place].content = content

    return edit


def cut(place: int, count: int) -> Edit:
    def edit(state: State) -> None:
        del state.messages[place : place + count]

    return edit


def note(key: str, value: Any) -> Edit:
    return lambda state: state.scratch.__setitem__(key, value)


def grow(key: str, value: Any) -> Edit:
    def edit(state: State) -> None:
        old = state.scratch.get(key)
        state.scratch[key] = [*(old if isinstance(old, list) else []), value]

    return edit


def drop(key: str) -> Edit:
    return lambda state: state.scratch.pop(key, None)


def count(step: int) -> Edit:
    return lambda state: setattr(state, "step", step)


KEYS = st.sampled_from("xyz")
EDITS = st.one_of(
    st.builds(append, MESSAGES),
    st.builds(insert, PLACES, MESSAGES),
    st.builds(rewrite, PLACES, TEXTS),
    st.builds(cut, PLACES, PLACES),
    st.builds(note, KEYS, VALUES),
    st.builds(grow, KEYS, VALUES),
    st.builds(drop, KEYS),
    st.builds(count, PLACES),
)
# Which store puts; whether it reads first; what it changes.
PUTS = st.tuples(st.integers(0, 1), st.sampled_from([False, False, True]), st.lists(EDITS, max_size=3))


def exact(state: State | None) -> str:
    return json.dumps(state.model_dump(mode="json") if state else None, sort_keys=True)


@given(puts=st.lists(PUTS, min_size=3, max_size=12), cache_bytes=st.sampled_from([10**8, 1_000, 0]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_get_always_equals_the_last_put(
    client: Client, puts: list[tuple[int, bool, list[Edit]]], cache_bytes: int
) -> None:
    session_id, memory = uuid.uuid4().hex, InMemoryCheckpointStore()
    stores = [TemporalCheckpoint(client, cache_bytes=cache_bytes) for _ in range(2)]
    states = [State(session_id=session_id) for _ in stores]
    with patch.object(write, "MAX_SIGNALS", 6):
        for who, reads_first, edits in puts:
            if reads_first:
                states[who] = await stores[who].get(session_id) or State(session_id=session_id)
            for edit in edits:
                edit(states[who])
            await stores[who].put(states[who])
            await memory.put(states[who])

            # Not by one of the two: it would then know what the other one put.
            assert exact(await TemporalCheckpoint(client).get(session_id)) == exact(await memory.get(session_id))


async def test_an_older_state_put_again_wins(client: Client) -> None:
    first, second = TemporalCheckpoint(client), TemporalCheckpoint(client)
    state = State(session_id=uuid.uuid4().hex, messages=[Message.user("one")])
    other = State(session_id=state.session_id, messages=[Message.user("two")])
    await first.put(state)
    await second.put(other)

    await first.put(state)

    assert await second.get(state.session_id) == state


async def test_writers_at_the_same_time_leave_one_of_their_states(client: Client) -> None:
    session_id = uuid.uuid4().hex
    base = State(session_id=session_id, messages=[Message.user("start")])
    await TemporalCheckpoint(client).put(base)

    async def write(name: str) -> State:
        store = TemporalCheckpoint(client)
        state = await store.get(session_id)
        assert state is not None
        for turn in range(10):
            state.add_message(Message.user(f"{name} {turn}"))
            state.scratch.setdefault(name, []).append(turn)
            await store.put(state)
        return state

    finished = await asyncio.gather(*(write(name) for name in "abc"))

    assert await TemporalCheckpoint(client).get(session_id) in finished


async def test_one_store_may_be_written_to_at_the_same_time(client: Client) -> None:
    store, session_id = TemporalCheckpoint(client), uuid.uuid4().hex
    states = [State(session_id=session_id, messages=[Message.user(f"{n}")] * n) for n in range(10)]

    await asyncio.gather(*map(store.put, states))
    assert await TemporalCheckpoint(client).get(session_id) in states

    await store.put(states[3])
    assert await TemporalCheckpoint(client).get(session_id) == states[3]
