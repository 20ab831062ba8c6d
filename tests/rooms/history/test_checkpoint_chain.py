"""Puts as chains, without a server."""

import random
from collections.abc import Iterable

import pytest
from spine_backends import migrations
from spine_core import Message, State, ToolCall

from spine_temporal.checkpoint import records
from spine_temporal.checkpoint.chain import Chain, change, folded, whole
from spine_temporal.checkpoint.records import body_of, signals_of
from spine_temporal.contracts.base import dump, load
from spine_temporal.contracts.checkpoint import CheckpointRecord
from spine_temporal.contracts.limits import MAX_PAYLOAD_BYTES
from spine_temporal.errors import InputTooLarge
from spine_temporal.payloads import unpack

START = State(session_id="s")


def state_of(*words: str) -> State:
    return State(session_id="s", messages=[Message.user(word) for word in words])


def body(before: State, after: State) -> bytes:
    step = change(before, after)
    assert step is not None
    return step.body


def chain(*puts: tuple[CheckpointRecord, bytes]) -> Chain:
    made = Chain()
    for put, data in puts:
        made.add(put, data, 1.0)
    return made


def words(made: Chain) -> list[str | None]:
    return [message.content for message in folded(made.last()).messages]


A = (CheckpointRecord(token="a"), state_of("a").model_dump_json().encode())
A_B = (CheckpointRecord(token="b", base="a"), body(state_of("a"), state_of("a", "b")))
A_C = (CheckpointRecord(token="c", base="a"), body(state_of("a"), state_of("a", "c")))
A_B_D = (CheckpointRecord(token="d", base="b"), body(state_of("a", "b"), state_of("a", "b", "d")))
E = (CheckpointRecord(token="e"), state_of("e").model_dump_json().encode())


@pytest.mark.parametrize(
    ("puts", "last"),
    [
        ([A], ["a"]),
        ([A, A_B], ["a", "b"]),
        ([A, A_B, A_B_D], ["a", "b", "d"]),
        ([A, A_B, A_C], ["a", "c"]),
        ([A, A_B, A_C, A_B_D], ["a", "b", "d"]),
        ([A, A_B, E], ["e"]),
        ([A, E, A_B], ["a", "b"]),
        ([A, A_B, A_B], ["a", "b"]),
    ],
    ids=["whole", "one", "two", "the other's", "own again", "whole again", "older whole", "sent twice"],
)
def test_the_last_put_wins_along_its_own_chain(puts: Iterable[tuple[CheckpointRecord, bytes]], last: list[str]) -> None:
    assert words(chain(*puts)) == last


def test_a_put_counts_once_its_last_part_is_there() -> None:
    head, data = A_B
    parts = [(head.model_copy(update={"part": part, "parts": 2}), data[10 * part :][:10]) for part in range(1)]
    tail = (head.model_copy(update={"part": 1, "parts": 2}), data[10:])

    assert words(chain(A, *parts)) == ["a"]
    assert words(chain(A, *parts, A_C, tail)) == ["a", "b"]
    assert words(chain(A, tail, *parts)) == ["a", "b"]


def test_a_put_whose_base_is_missing_does_not_count() -> None:
    assert words(chain(A, A_B_D)) == ["a"]
    assert chain(A_B).last() == []


def test_a_base_in_another_holder_ends_the_chain() -> None:
    link = (CheckpointRecord(token="l", base="a", holder="elsewhere"), b"{}")
    made = chain(link, (CheckpointRecord(token="b", base="l"), A_B[1]))

    assert [each.put.token for each in made.last()] == ["l", "b"]
    assert made.holders == ("elsewhere",)
    assert words(chain(A)) == ["a"]
    assert folded([*chain(A).until("a"), *made.last()]) == state_of("a", "b")


def test_equal_states_are_no_change() -> None:
    step = change(state_of("a"), state_of("a"))

    assert step is not None
    assert step.nothing


def test_what_json_writes_otherwise_is_still_a_change() -> None:
    after = state_of("a")
    after.usage.cost_usd = 0
    after.add_message(Message.user_parts([{"at": (1, 2), "x": float("nan")}]))
    after.add_message(Message.assistant(None, [ToolCall(id="c", name="t", arguments={"x": float("inf"), "y": {1: 2}})]))
    step = change(state_of("a"), after)

    assert step is not None
    assert step.after.model_dump_json() == after.model_dump_json()
    assert step.after.messages[2].tool_calls[0].arguments == {"x": float("inf"), "y": {"1": 2}}


def test_a_change_shares_nothing_with_the_state_it_was_made_of() -> None:
    after = state_of("a", "b")
    step = change(state_of("a"), after)
    after.messages[1].content = "c"

    assert step is not None
    assert step.after == state_of("a", "b")


@pytest.mark.parametrize("size", [10, 31_000, 33_000, MAX_PAYLOAD_BYTES, 3 * MAX_PAYLOAD_BYTES])
def test_a_body_of_any_size_goes_into_signals_the_server_takes(size: int) -> None:
    data = random.Random(size).randbytes(size)  # it does not compress

    signals = signals_of(CheckpointRecord(token="t", base="b" * 16, holder="h" * 1_000), data)

    heads = [unpack(CheckpointRecord, head) for head, _ in signals]
    assert all(sum(each.payload.ByteSize() for each in arguments) <= MAX_PAYLOAD_BYTES for arguments in signals)
    assert [each.part for each in heads] == list(range(len(signals)))
    assert body_of(heads[0], [part.payload.data for _, part in signals]) == data


def test_a_put_that_no_history_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_ROOM_BYTES", 4)

    with pytest.raises(InputTooLarge, match="does not fit"):
        signals_of(CheckpointRecord(token="t"), b"x" * 100)


def test_a_state_of_an_older_kernel_is_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(migrations._MIGRATIONS, 0, lambda raw: {**raw, "version": 1, "session_id": raw["session"]})

    assert whole(b'{"version": 0, "session": "s"}') == START


def test_a_put_is_written_as_it_always_was() -> None:
    put = CheckpointRecord(token="a1", base="b2", holder="spine-checkpoint-s~b2", packed=True, part=1, parts=2)
    golden = b'{"token":"a1","base":"b2","holder":"spine-checkpoint-s~b2","packed":true,"part":1,"parts":2}'

    assert dump(put) == golden
    assert load(CheckpointRecord, golden) == put
    assert dump(CheckpointRecord(token="a1")) == b'{"token":"a1"}'
