"""A delta says what hooks changed in a State, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spine_core import Message, State, ToolCall, Usage

from spine_temporal.activities.state_copy import working_copy
from spine_temporal.contracts.base import dump, load
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.journal import state_delta
from tests.rooms.journal.states import APPENDS, CHANGES, STATES, USAGES, Change, appended, as_json

QUICK = settings(max_examples=200, deadline=None, derandomize=True)


def changed(before: State, changes: list[Change]) -> State:
    after = before.model_copy(deep=True)
    for change in changes:
        change(after)
    return after


def written(made: StateDelta) -> StateDelta:
    """What is read of it from a history."""
    return load(StateDelta, dump(made))


@QUICK
@given(before=STATES, changes=st.lists(CHANGES, max_size=5))
def test_delta_turns_the_state_before_into_the_one_after(before: State, changes: list[Change]) -> None:
    was, after = as_json(before), changed(before, changes)

    made = state_delta.diff(before, after)

    assert as_json(state_delta.apply(before, made)) == as_json(after)
    assert as_json(state_delta.apply(before, written(made))) == as_json(after)
    assert as_json(before) == was


@QUICK
@given(before=STATES, changes=st.lists(CHANGES, max_size=3), banked=USAGES)
def test_what_the_model_cost_is_counted_once(before: State, changes: list[Change], banked: Usage) -> None:
    after = changed(before, changes)
    after.add_usage(banked)

    made = state_delta.diff(before, after, banked=banked)

    assert as_json(state_delta.apply(before, written(made), banked=banked)) == as_json(after)


@QUICK
@given(before=STATES, changes=st.lists(APPENDS, max_size=4))
def test_messages_from_before_are_never_repeated(before: State, changes: list[Change]) -> None:
    after = changed(before, changes)

    made = state_delta.diff(before, after)

    assert made == StateDelta(messages=after.messages[len(before.messages) :])


def test_nothing_changed_makes_an_empty_delta() -> None:
    before = State(session_id="s1", messages=[Message.user("hi")], scratch={"a": [1]}, usage=Usage(input_tokens=1))

    assert dump(state_delta.diff(before, working_copy(before))) == b"{}"
    assert state_delta.apply(before, StateDelta()) == before


def conversation(length: int) -> State:
    return State(session_id="s1", messages=[Message.user(f"message {n}") for n in range(length)])


@pytest.mark.parametrize(
    ("change", "made"),
    [
        (lambda messages: messages.append(Message.user("new")), StateDelta(messages=[Message.user("new")])),
        (lambda messages: messages.__setitem__(3, Message.user("new")), StateDelta(edits={3: Message.user("new")})),
        (
            lambda messages: messages.insert(3, Message.user("new")),
            StateDelta(messages=[Message.user("new")], cut=(3, 3)),
        ),
        (lambda messages: messages.pop(3), StateDelta(cut=(3, 4))),
        (lambda messages: messages.clear(), StateDelta(cut=(0, 10))),
    ],
    ids=["appended", "edited", "inserted", "removed", "cleared"],
)
def test_only_the_touched_messages_are_written(change: Change, made: StateDelta) -> None:
    before = conversation(10)
    after = working_copy(before)
    change(after.messages)  # type: ignore[arg-type]

    assert state_delta.diff(before, after) == made


def test_deltas_made_side_by_side_add_up() -> None:
    before = State(session_id="s1", usage=Usage(input_tokens=5), scratch={"found": [0]})
    made = []
    for tokens in (10, 200):
        after = working_copy(before)
        after.usage.input_tokens += tokens
        after.scratch["found"].append(tokens)
        after.messages.append(Message.user(str(tokens)))
        made.append(written(state_delta.diff(before, after)))

    both = state_delta.apply(state_delta.apply(before, made[0]), made[1])

    assert both.usage == Usage(input_tokens=215)
    assert both.scratch == {"found": [0, 10, 200]}
    assert [message.content for message in both.messages] == ["10", "200"]


def test_field_that_this_version_of_the_kernel_does_not_know_is_left_out() -> None:
    state = state_delta.apply(State(session_id="s1"), StateDelta(fields={"mood": "good", "tenant_id": "t1"}))

    assert state == State(session_id="s1", tenant_id="t1")


def test_states_share_what_did_not_change() -> None:
    before = conversation(3)

    after = state_delta.apply(before, state_delta.diff(before, changed(before, [appended(Message.user("new"))])))

    assert all(old is new for old, new in zip(before.messages, after.messages, strict=False))


@pytest.mark.parametrize("value", [True, 1.0])
def test_number_in_a_tool_call_that_became_another_kind_is_written(value: object) -> None:
    call = ToolCall(id="call_0", name="add", arguments={"a": 1})
    before = State(session_id="s1", messages=[Message.assistant(None, [call])])
    after = before.model_copy(deep=True)
    after.messages[0].tool_calls[0].arguments["a"] = value

    assert as_json(state_delta.apply(before, state_delta.diff(before, after))) == as_json(after)


def test_edit_of_a_message_that_a_call_side_by_side_removed_is_dropped() -> None:
    before = conversation(4)
    removed, edited = working_copy(before), working_copy(before)
    del removed.messages[0]
    edited.messages[3].content = "new"

    both = state_delta.apply(
        state_delta.apply(before, state_delta.diff(before, removed)),
        state_delta.diff(before, edited),
    )

    assert len(both.messages) == 3


@pytest.mark.parametrize(("name", "value"), [("step", "two"), ("depth", None), ("status", "sleeping")])
def test_field_that_no_state_can_have_is_refused_before_it_is_written(name: str, value: object) -> None:
    before = State(session_id="s1")
    after = working_copy(before)
    setattr(after, name, value)

    with pytest.raises(ValueError, match=name):
        state_delta.diff(before, after)
