"""The list that users' code is given is a list like any other, and knows what it has handed out."""

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spine_core import Message, State

from spine_temporal.activities.working_messages import WorkingMessages
from tests.rooms.activities.test_working_messages import QUICK, delta_of, long_conversation
from tests.rooms.journal.states import as_json

type Way = Callable[[Any], Any]

WAYS: dict[str, Way] = {
    "an index": lambda messages: messages[7],
    "an index from the end": lambda messages: messages[-93],
    "a slice": lambda messages: messages[3:20:2][2],
    "a loop": lambda messages: next(m for m in messages if m.tool_calls[0].id == "c7"),
    "a loop from the end": lambda messages: next(m for m in reversed(messages) if m.tool_calls[0].id == "c7"),
    "a list": lambda messages: list(messages)[7],
    "a tuple": lambda messages: tuple(messages)[7],
    "arguments": lambda messages: (lambda *each: each[7])(*messages),
    "a display": lambda messages: [*messages][7],
    "unpacking": lambda messages: (lambda a, *_: _[6])(*messages),
    "a copy": lambda messages: messages.copy()[7],
    "the copy module": lambda messages: copy.copy(messages)[7],
    "added to": lambda messages: operator.concat(messages, [])[7],
    "added to another": lambda messages: operator.add([], messages)[7],
    "extending another": lambda messages: _added([], messages)[7],
    "put into another": lambda messages: _put_into([], messages)[7],
    "twice": lambda messages: (messages * 2)[107],
    "two times": lambda messages: (2 * messages)[107],
    "sorted": lambda messages: sorted(messages, key=lambda m: m.tool_calls[0].arguments["n"])[7],
    "a filter": lambda messages: next(filter(lambda m: m.tool_calls[0].id == "c7", messages)),
    "a getter": lambda messages: operator.itemgetter(7)(messages),
    "its own sort": lambda messages: messages.sort(key=lambda m: m.content) or messages[7],
    "turned round": lambda messages: messages.reverse() or messages.reverse() or messages[7],
    "taken out and put back": lambda messages: _put_back(messages, 7),
}


def _added(one: list[Message], other: list[Message]) -> list[Message]:
    one += other
    return one


def _put_into(other: list[Message], messages: list[Message]) -> list[Message]:
    other[0:0] = messages
    return other


def _put_back(messages: list[Message], at: int) -> Message:
    message = messages.pop(at)
    messages.insert(at, message)
    return message


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_in_whatever_way_a_message_came_to_hand_its_edit_is_seen(way: Way) -> None:
    state, working = long_conversation(), WorkingMessages()
    lent = working.lend(state)

    message = way(lent.messages)
    message.tool_calls[0].arguments["n"] = "edited"

    assert list(delta_of(working, state, lent).edits) == [7]
    assert as_json(state) == as_json(long_conversation())


INDEX = st.integers(-6, 6)
MESSAGES = st.lists(st.builds(Message.user, st.sampled_from("abc")), max_size=4)
DEEDS: st.SearchStrategy[Way] = st.one_of(
    st.builds(lambda i: lambda x: x.pop(i), INDEX),
    st.builds(lambda i, m: lambda x: x.insert(i, m), INDEX, st.builds(Message.user, st.sampled_from("abc"))),
    st.builds(lambda i: lambda x: x.__delitem__(i), INDEX),
    st.builds(lambda i, j, m: lambda x: x.__setitem__(slice(i, j), m), INDEX, INDEX, MESSAGES),
    st.builds(lambda m: lambda x: x.extend(m), MESSAGES),
    st.builds(lambda m: lambda x: _added(x, m), MESSAGES),
    st.builds(lambda n: lambda x: x.__imul__(n), st.integers(0, 2)),
    st.builds(lambda m: lambda x: x.remove(m), st.builds(Message.user, st.sampled_from("abc"))),
    st.builds(lambda i: lambda x: x[i], INDEX),
    st.builds(lambda i, j: lambda x: x[i:j], INDEX, INDEX),
    st.just(lambda x: x.clear()),
    st.just(lambda x: x.reverse()),
    st.just(lambda x: x.sort(key=lambda m: m.content)),
    st.just(lambda x: list(reversed(x))),
    st.just(lambda x: copy.deepcopy(x)),
    st.just(lambda x: pickle.loads(pickle.dumps(x))),
    st.just(lambda x: State(session_id="s", messages=x).model_dump()),
)


@QUICK
@given(messages=MESSAGES, deeds=st.lists(DEEDS, max_size=5))
def test_the_list_does_what_any_list_does(messages: list[Message], deeds: list[Way]) -> None:
    ordinary = [message.model_copy() for message in messages]
    lent = WorkingMessages().lend(State(session_id="s", messages=messages)).messages
    for deed in deeds:
        assert _outcome(deed, lent) == _outcome(deed, ordinary)
        assert lent == ordinary
        assert len(lent) == len(ordinary)


def _outcome(deed: Way, messages: list[Message]) -> Any:
    try:
        return deed(messages)
    except (IndexError, ValueError) as error:
        return type(error)
