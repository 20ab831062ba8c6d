"""A copy of the State that the user's code may change as it likes."""

import copy
import json
from typing import Any, Final

from pydantic import BaseModel
from spine_core import Message, State, ToolCall

_NEVER_CHANGE: Final = frozenset({str, int, float, bool, type(None)})


def working_copy(state: State, *, messages: list[Message] | None = None) -> State:
    """A State equal to `state` that shares nothing mutable with it.

    `messages` are to stand in it; None: copies of the State's own.
    """
    return state.model_copy(
        update={
            "messages": [copy_of(message) for message in state.messages] if messages is None else messages,
            "usage": state.usage.model_copy(),
            "scratch": copy.deepcopy(state.scratch),
            "pending": copy.deepcopy(state.pending),
        }
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
    copied = _alike(message)
    fields = copied.__dict__
    fields["tool_calls"] = [_copied_call(call) for call in fields["tool_calls"]]
    if fields["parts"] is not None:
        fields["parts"] = copy.deepcopy(fields["parts"])
    return copied


def _copied_call(call: ToolCall) -> ToolCall:
    if type(call) is not ToolCall:
        return call.model_copy(deep=True)
    copied = _alike(call)
    fields = copied.__dict__
    fields["arguments"] = {key: _copied(value) for key, value in fields["arguments"].items()}
    return copied


def _copied(value: Any) -> Any:
    return value if type(value) in _NEVER_CHANGE else copy.deepcopy(value)


def _alike[M: BaseModel](model: M) -> M:
    # What pydantic's __copy__ does, for a model without private and further fields.
    made = model.__class__.__new__(model.__class__)
    object.__setattr__(made, "__dict__", model.__dict__.copy())
    object.__setattr__(made, "__pydantic_fields_set__", model.__pydantic_fields_set__.copy())
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made
