"""What the user's code is given: a State of its own. What the model is given: the kernel's text."""

from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from spine_core import Message, State, ToolCall
from spine_core.agent import _stringify
from spine_core.state import PendingApproval

from spine_temporal.activities.state_copy import stringify, working_copy
from tests.rooms.journal.states import CHANGES, STATES, VALUES, Change, as_json

QUICK = settings(max_examples=150, deadline=None, derandomize=True)


@QUICK
@given(state=STATES, changes=st.lists(CHANGES, max_size=4))
def test_working_copy_can_be_changed_without_touching_the_state(state: State, changes: list[Change]) -> None:
    was = as_json(state)

    copy = working_copy(state)
    assert copy == state
    for change in changes:
        change(copy)

    assert as_json(state) == was


def mutable_parts(value: Any) -> dict[int, Any]:
    """Every object in `value` that can be changed, by its identity."""
    found: dict[int, Any] = {}
    if isinstance(value, BaseModel):
        inside = [each for _, each in value]
    elif isinstance(value, dict):
        inside = list(value.values())
    elif isinstance(value, list):
        inside = value
    else:
        return found
    found[id(value)] = value
    for each in inside:
        found |= mutable_parts(each)
    return found


CALL = ToolCall(id="call_0", name="find", arguments={"deep": [{"a": 1}]})
PENDING = PendingApproval(call=CALL, payload={"why": [1]})


@pytest.mark.parametrize(
    "state",
    [
        State(session_id="s1", scratch={"deep": [{"a": 1}]}),
        State(session_id="s1", messages=[Message.assistant("a", [CALL])]),
        State(session_id="s1", messages=[Message.user_parts([{"type": "text"}])]),
        pytest.param(State(session_id="s1", messages=[Message.user("hi")])),
        pytest.param(State(session_id="s1", messages=[Message.user_parts([])])),
        pytest.param(State(session_id="s1", pending=PENDING)),
    ],
    ids=["scratch", "tool calls", "parts", "no tool calls", "no parts", "pending"],
)
def test_working_copy_shares_nothing_that_can_be_changed(state: State) -> None:
    copy = working_copy(state)

    assert copy == state
    assert mutable_parts(copy).keys().isdisjoint(mutable_parts(state))


class Weather(BaseModel):
    city: str
    at: datetime | None = None


class Opaque:
    def __repr__(self) -> str:
        return "something"


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "text ü",
        b"bytes",
        0,
        1.5,
        float("nan"),
        True,
        (1, 2),
        {1},
        {"ü": [None, "a"]},
        {1: "a", None: "b", False: "c"},
        {(1, 2): "a key that JSON has not"},
        OrderedDict(b=1, a=2),
        Weather(city="Bergen"),
        Weather(city="Bergen", at=datetime(2026, 1, 1, tzinfo=UTC)),
        [Weather(city="Bergen")],
        datetime(2026, 1, 1, tzinfo=UTC),
        PurePath("a/b"),
        Opaque(),
        [Opaque()],
        ValueError("raised"),
    ],
    ids=repr,
)
def test_tool_results_have_the_kernels_words(value: Any) -> None:
    assert stringify(value) == _stringify(value)


@QUICK
@given(value=VALUES)
def test_any_json_has_the_kernels_words(value: Any) -> None:
    assert stringify(value) == _stringify(value)
