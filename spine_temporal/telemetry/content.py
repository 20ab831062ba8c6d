"""The conversation, as the conventions write it: messages of parts, as JSON text."""

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_jsonable_python
from spine_core import Message

from spine_temporal.contracts.json_form import json_bytes, readable


def messages_as_text(messages: Sequence[Message], finish_reason: str | None = None) -> str:
    """`messages` in the form of `gen_ai.input.messages`; with why the model stopped, of `gen_ai.output.messages`."""
    return as_text([_message(each) | ({"finish_reason": finish_reason} if finish_reason else {}) for each in messages])


def as_text(value: object) -> str:
    """JSON of anything; what JSON has no word for is written as Python's own `str`, or `repr`, gives it."""
    if isinstance(value, str):
        return readable(value)
    try:
        return json_bytes(to_jsonable_python(value, fallback=str)).decode()
    except ValueError:
        # A circle, or a key that no encoding has: a span is not worth a run.
        return readable(repr(value))


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        response = {"type": "tool_call_response", "id": message.tool_call_id, "response": _text(message)}
        return {"role": message.role, "parts": [response]}
    parts: list[dict[str, Any]] = [{"type": "text", "content": _text(message)}] if message.content else []
    calls = [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}
        for call in message.tool_calls or ()
    ]
    return {"role": message.role, "parts": [*parts, *calls]}


def _text(message: Message) -> Any:
    return readable(message.content) if isinstance(message.content, str) else message.content
