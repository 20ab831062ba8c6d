"""A copy of the State that the user's code may change as it likes."""

import copy
import json
from typing import Any, Final

from pydantic import BaseModel
from spine_core import Message, State, ToolCall

from spine_temporal.journal.replacing import copied

_NEVER_CHANGE: Final = frozenset({str, int, float, bool, type(None)})


def working_copy(state: State, *, messages: list[Message] | None = None) -> State:
    """A State equal to `state` that shares nothing mutable with it.

    `messages` are to stand in it; None: copies of the State's own.
    """
    return copied(
        state,
        messages=[copy_of(message) for message in state.messages] if messages is None else messages,
        usage=copied(state.usage),
        scratch=copy.deepcopy(state.scratch) if state.scratch else {},
        pending=_copied(state.pending),
    )


def stringify(value: Any) -> str:
    """A tool's result as the model reads it, by the kernel's rules: text as it is, nothing as "", else JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    try:
        return json.dumps(value, default=str)
    except TypeError:
        return str(value)


def copy_of(message: Message) -> Message:
    """A message equal to `message` that shares nothing mutable with it."""
    # By hand: pydantic's own deep copy takes ten times as long.
    if type(message) is not Message:
        return message.model_copy(deep=True)
    made = copied(message)
    # Not as a change: a field that nobody has set stays one.
    fields = made.__dict__
    fields["tool_calls"] = [_copied_call(call) for call in message.tool_calls]
    fields["parts"] = _copied(message.parts)
    return made


def _copied_call(call: ToolCall) -> ToolCall:
    if type(call) is not ToolCall:
        return call.model_copy(deep=True)
    made = copied(call)
    made.__dict__["arguments"] = {key: _copied(value) for key, value in call.arguments.items()}
    return made


def _copied(value: Any) -> Any:
    return value if type(value) in _NEVER_CHANGE else copy.deepcopy(value)
