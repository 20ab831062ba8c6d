"""A copy of the State that the user's code may change as it likes."""

import copy
import json
from typing import Any

from pydantic import BaseModel
from spine_core import Message, State


def working_copy(state: State, *, hooked: bool = True) -> State:
    """A State equal to `state` that shares nothing mutable with it.

    Where no hook will see it (`hooked=False`), it shares the messages without parts, so that the copy costs little
    however long the conversation is. Parts are copied: some provider adapters mark them for prompt caching.
    """
    return state.model_copy(
        update={
            "messages": [_copy(message) if hooked or message.parts else message for message in state.messages],
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


def _copy(message: Message) -> Message:
    # By hand: pydantic's own deep copy takes ten times as long, and this runs for every message of every step.
    return message.model_copy(
        update={
            "tool_calls": [
                call.model_copy(update={"arguments": copy.deepcopy(call.arguments)}) for call in message.tool_calls
            ],
            "parts": copy.deepcopy(message.parts),
        }
    )
