"""A State as a history holds it, with the fields of its messages' own classes, with NaN."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import PlainSerializer, WrapValidator
from spine_core import State

from spine_temporal.contracts.json_form import as_json
from spine_temporal.contracts.messages import read_message, write_message, write_usage


def write_state(state: State) -> dict[str, Any]:
    """What is recorded of a State, of which any reader of spine's own makes the State without the classes' fields."""
    written = {name: as_json(getattr(state, name)) for name in State.model_fields if name not in ("messages", "usage")}
    messages = [write_message(message) for message in state.messages]
    return written | {"messages": messages, "usage": write_usage(state.usage)}


def read_state(written: Any, state: State) -> State:
    """The State that `written` is, of which `state` has what spine's own reader makes of it."""
    messages = written.get("messages", ()) if isinstance(written, dict) else ()
    for at, message in enumerate(messages):
        state.messages[at] = read_message(message, state.messages[at])
    return state


def _state(written: Any, handler: Callable[[Any], State]) -> State:
    return read_state(written, handler(written))


AnyState = Annotated[State, PlainSerializer(write_state), WrapValidator(_state)]
"""A State, whatever classes its messages have."""
