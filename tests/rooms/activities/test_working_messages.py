"""Messages are copied for users' code once, and every edit of one is seen."""

from collections.abc import Callable
from operator import is_

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from spine_core import Message, State, ToolCall

from spine_temporal.activities.state_copy import working_copy
from spine_temporal.activities.working_messages import WorkingMessages
from spine_temporal.contracts.base import dump
from spine_temporal.contracts.state_delta import StateDelta
from spine_temporal.journal import state_delta
from tests.rooms.activities.test_state_copy import mutable_parts
from tests.rooms.journal.states import CHANGES, STATES, Change, as_json

QUICK = settings(max_examples=200, deadline=None, derandomize=True)


@QUICK
@given(state=STATES, rounds=st.lists(st.lists(CHANGES, max_size=3), max_size=4))
def test_what_was_changed_is_told_as_if_all_had_been_copied_and_compared(
    state: State, rounds: list[list[Change]]
) -> None:
    working = WorkingMessages()
    for changes in rounds:
        was, lent, copied = as_json(state), working.lend(state), working_copy(state)
        assert as_json(lent) == was
        assert mutable_parts(lent).keys().isdisjoint(mutable_parts(state))
        for change in changes:
            change(lent)
            change(copied)
        back = working.given_back(lent)
        told = state_delta.diff(state, back.state, unchanged=back.unchanged)
        assert dump(told) == dump(state_delta.diff(state, copied))
        assert as_json(state) == was
        state = state_delta.apply(state, told)


class SignedMessage(Message):
    """As a provider may make it."""

    signature: list[str] = Field(default_factory=list)


def conversation() -> State:
    return State(
        session_id="s1",
        messages=[
            Message.user("hi"),
            Message.assistant("a", [ToolCall(id="c1", name="f", arguments={"n": 1, "deep": [{"m": 0}]})]),
            Message.tool("0", "c1"),
            Message.user_parts([{"type": "text", "text": "b"}]),
            SignedMessage(role="assistant", content="signed", signature=["a"]),
        ],
    )


def _replace_then_edit(state: State) -> None:
    state.messages[0].tool_calls = []
    state.messages[0].tool_calls.append(ToolCall(id="c9", name="g"))


def _equal_list_then_edit(state: State) -> None:
    calls = state.messages[1].tool_calls
    state.messages[1].tool_calls = [call.model_copy(deep=True) for call in calls]
    state.messages[1].tool_calls[0].arguments["n"] = 2


def _move_between_lists(state: State) -> None:
    state.messages[3].tool_calls.append(state.messages[1].tool_calls.pop())


EDITS: dict[str, Callable[[State], object]] = {
    "a text": lambda state: setattr(state.messages[0], "content", "ho"),
    "a role": lambda state: setattr(state.messages[0], "role", "system"),
    "True for 1": lambda state: state.messages[1].tool_calls[0].arguments.update(n=True),
    "1.0 for 1": lambda state: state.messages[1].tool_calls[0].arguments.update(n=1.0),
    "False for 0, deep down": lambda state: state.messages[1].tool_calls[0].arguments["deep"][0].update(m=False),
    "a new argument": lambda state: state.messages[1].tool_calls[0].arguments.update(more=None),
    "an argument's name": lambda state: (
        state.messages[1].tool_calls[0].arguments.update(k=state.messages[1].tool_calls[0].arguments.pop("deep"))
    ),
    "a call's name": lambda state: setattr(state.messages[1].tool_calls[0], "name", "g"),
    "a call taken out": lambda state: state.messages[1].tool_calls.clear(),
    "a call moved to another message": _move_between_lists,
    "a call put in where there was none": lambda state: state.messages[0].tool_calls.append(
        ToolCall(id="c8", name="g")
    ),
    "a new list, then edited": _replace_then_edit,
    "an equal list, then edited": _equal_list_then_edit,
    "a part": lambda state: (state.messages[3].parts or [{}])[0].update(text="c"),
    "parts where there were none": lambda state: setattr(state.messages[0], "parts", []),
    "a field of a subclass": lambda state: state.messages[4].signature.append("b"),  # type: ignore[attr-defined]
    "a message taken out": lambda state: state.messages.pop(1),
    "two that changed places": lambda state: state.messages.insert(0, state.messages.pop()),
    "a message twice": lambda state: state.messages.append(state.messages[0]),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("rounds_before", [0, 1])
def test_every_edit_is_seen(edit: Callable[[State], object], rounds_before: int) -> None:
    state, working = conversation(), WorkingMessages()
    for _ in range(rounds_before):
        working.given_back(working.lend(state))
    lent, copied = working.lend(state), working_copy(state)
    edit(lent)
    edit(copied)

    back = working.given_back(lent)
    told = state_delta.diff(state, back.state, unchanged=back.unchanged)

    assert dump(told) == dump(state_delta.diff(state, copied)) != b"{}"
    assert as_json(state) == as_json(conversation())
    # The next one begins with what is recorded, whatever the one before did to its copies.
    assert as_json(working.lend(state)) == as_json(state)


def delta_of(working: WorkingMessages, state: State, lent: State) -> StateDelta:
    back = working.given_back(lent)
    return state_delta.diff(state, back.state, unchanged=back.unchanged)


def long_conversation() -> State:
    calls = [ToolCall(id=f"c{n}", name="f", arguments={"n": n}) for n in range(100)]
    return State(session_id="s1", messages=[Message.assistant("a", [call]) for call in calls])


def test_an_equal_list_in_the_place_of_one_is_watched_from_then_on() -> None:
    state, working = long_conversation(), WorkingMessages()
    lent = working.lend(state)
    for message in lent.messages:
        message.tool_calls = [call.model_copy(deep=True) for call in message.tool_calls]
    assert dump(delta_of(working, state, lent)) == b"{}"

    lent = working.lend(state)
    lent.messages[1].tool_calls[0].arguments["n"] = 2

    assert list(delta_of(working, state, lent).edits) == [1]


def test_of_few_messages_in_hand_there_are_new_copies_and_many_are_kept_until_one_is_edited() -> None:
    state, working = long_conversation(), WorkingMessages()
    first = working.lend(state)
    in_hand = first.messages[-1]
    working.given_back(first)

    second = working.lend(state)
    stored = [message is in_hand for message in second.messages]
    assert not any(stored)
    all_of_them = list(second.messages)
    working.given_back(second)

    third = working.lend(state)
    assert all(map(is_, third.messages, all_of_them))
    third.messages[0].content = "edited"
    working.given_back(third)

    fourth = working.lend(state)
    assert not any(map(is_, fourth.messages, all_of_them))
    assert fourth.messages[0].content == "a"


@pytest.mark.parametrize("many", [False, True])
def test_a_message_that_was_kept_in_hand_is_edited_in_vain_or_seen_to_be(many: bool) -> None:
    state, working = long_conversation(), WorkingMessages()
    lent = working.lend(state)
    kept = list(lent.messages)[50] if many else lent.messages[50]
    assert dump(delta_of(working, state, lent)) == b"{}"

    lent = working.lend(state)
    kept.content = "edited"
    edits = delta_of(working, state, lent).edits

    assert list(edits) == ([50] if many else [])
    assert as_json(working.lend(state)) == as_json(state) == as_json(long_conversation())


def test_who_reads_the_last_messages_costs_no_look_at_the_others() -> None:
    state, working = long_conversation(), WorkingMessages()
    lent = working.lend(state)
    assert lent.messages[-1].content == "a"
    assert next(m for m in reversed(lent.messages) if m.tool_calls) is lent.messages[99]
    assert len(lent.messages[-3:]) == 3
    lent.messages.append(Message.user("more"))

    assert len(working._out) == 3
    back = working.given_back(lent)
    assert back.unchanged == 100
    assert [message.content for message in back.state.messages[100:]] == ["more"]
    assert all(map(is_, back.state.messages, state.messages))


def test_a_list_of_an_earlier_activity_is_no_list_of_this_one() -> None:
    state, working = long_conversation(), WorkingMessages()
    earlier = working.lend(state)
    working.given_back(earlier)
    lent = working.lend(state)
    lent.messages = earlier.messages
    lent.messages[0].content = "edited"

    assert list(delta_of(working, state, lent).edits) == [0]
