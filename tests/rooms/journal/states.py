"""Random States, with what hooks may do to them."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from spine_core import Message, RunStatus, State, ToolCall, Usage
from spine_core.state import PendingApproval

type Json = dict[str, Any]
type Change = Callable[[State], None]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.integers(),
    st.sampled_from([0.0, 1.0, -0.0, 0.1, 1e300]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
KEYS = st.sampled_from(["a", "b", "c", "", "set", "grow", "in", "del"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)

CALLS = st.builds(
    ToolCall,
    id=st.sampled_from(["call_0", "call_1"]),
    name=st.sampled_from(["add", "find"]),
    arguments=st.dictionaries(KEYS, st.text(max_size=3), max_size=2),
)
MESSAGES = st.one_of(
    st.builds(Message.user, st.text(max_size=5)),
    st.builds(Message.system, st.text(max_size=5)),
    st.builds(Message.assistant, st.none() | st.sampled_from(["", "yes", "no"]), st.lists(CALLS, max_size=2)),
    st.builds(Message.tool, st.text(max_size=5), st.just("call_0"), st.just("add")),
    st.builds(Message.user_parts, st.lists(st.dictionaries(KEYS, st.text(max_size=3), max_size=2), max_size=2)),
)
USAGES = st.builds(
    Usage,
    input_tokens=st.integers(0, 20),
    output_tokens=st.integers(0, 20),
    cost_usd=st.sampled_from([0.0, 0.1, 0.3, 1.1]),
)
STATES = st.builds(
    State,
    session_id=st.just("s1"),
    tenant_id=st.sampled_from([None, "t1"]),
    messages=st.lists(MESSAGES, max_size=6),
    step=st.integers(0, 3),
    usage=USAGES,
    scratch=OBJECTS,
)


def _at(position: int, length: int) -> int:
    return position % length if length else 0


def appended(message: Message) -> Change:
    """A hook that adds a message."""
    return lambda state: state.messages.append(message.model_copy(deep=True))


def edited(position: int, content: str) -> Change:
    """A hook that rewrites a message in place."""

    def change(state: State) -> None:
        if state.messages:
            state.messages[_at(position, len(state.messages))].content = content

    return change


def recalled(position: int, value: str) -> Change:
    """A hook that rewrites the arguments of a tool call in place."""

    def change(state: State) -> None:
        calls = [call for message in state.messages for call in message.tool_calls]
        if calls:
            calls[_at(position, len(calls))].arguments["a"] = value

    return change


def removed(position: int) -> Change:
    """A hook that drops a message."""

    def change(state: State) -> None:
        if state.messages:
            del state.messages[_at(position, len(state.messages))]

    return change


def inserted(position: int, message: Message) -> Change:
    """A hook that puts a message between two others."""
    return lambda state: state.messages.insert(_at(position, len(state.messages)), message.model_copy(deep=True))


def spent(usage: Usage) -> Change:
    """A hook that books costs of its own."""
    return lambda state: state.add_usage(usage)


def remembered(key: str, value: Any) -> Change:
    """A hook that writes into scratch, or adds to a list that is there."""

    def change(state: State) -> None:
        present = state.scratch.get(key)
        if isinstance(present, list):
            present.append(value)
        else:
            state.scratch[key] = value

    return change


def forgot(key: str) -> Change:
    """A hook that cleans up."""

    def change(state: State) -> None:
        state.scratch.pop(key, None)

    return change


def became(name: str, value: Any) -> Change:
    """A hook that sets a field."""
    return lambda state: setattr(state, name, value)


POSITIONS = st.integers(0, 5)
FIELDS = st.sampled_from(
    [
        ("tenant_id", "acme"),
        ("tenant_id", None),
        ("step", 7),
        ("depth", 2),
        ("status", RunStatus.ERROR),
        ("pending", PendingApproval(call=ToolCall(id="call_0", name="add"), payload={"why": [1]})),
    ]
)
APPENDS = st.builds(appended, MESSAGES)
CHANGES = st.one_of(
    APPENDS,
    st.builds(edited, POSITIONS, st.text(max_size=3)),
    st.builds(recalled, POSITIONS, st.text(max_size=3)),
    st.builds(removed, POSITIONS),
    st.builds(inserted, POSITIONS, MESSAGES),
    st.builds(spent, USAGES),
    st.builds(remembered, KEYS, VALUES),
    st.builds(forgot, KEYS),
    FIELDS.map(lambda field: became(*field)),
)


def as_json(value: State | Json) -> str:
    """What `value` is in JSON: here 1, 1.0 and True are three things, the order of keys is nothing."""
    return json.dumps(value.model_dump(mode="json") if isinstance(value, State) else value, sort_keys=True)
