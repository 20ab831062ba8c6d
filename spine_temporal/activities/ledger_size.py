"""About how much memory a ledger takes: its texts as Python holds them, and objects."""

import sys
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel
from spine_core import Message

from spine_temporal.journal.ledger import Ledger

# Measured: a message and a model in it beside what their fields hold, with what the allocator adds.
_MODEL_BYTES: Final = 700
_LEDGER_BYTES: Final = 8_000
_WITHOUT_PARTS: Final = frozenset({str, int, float, bool, type(None)})


def memory_bytes(ledger: Ledger) -> int:
    """About how much memory all of it takes."""
    return messages_bytes(ledger.state.messages) + other_bytes(ledger)


def messages_bytes(messages: Sequence[Message]) -> int:
    """That of the messages.

    The length of their JSON would not do: a single dash makes Python hold each letter of a text in two bytes, an emoji
    in four. Nor is it free to ask for: pydantic leaves a text that it wrote, and that is not ASCII, with another copy.
    """
    return sum(map(_message_bytes, messages))


def other_bytes(ledger: Ledger) -> int:
    """That of everything else, which may change as a whole with each entry."""
    outcomes = sum(sys.getsizeof(outcome.content) for content in ledger.calls for outcome in content.outcomes)
    return _LEDGER_BYTES + outcomes + value_bytes(ledger.state.scratch)


def value_bytes(value: Any) -> int:
    """That of a value as JSON has it, or of a model; each part counts as often as it stands there."""
    if type(value) in _WITHOUT_PARTS:
        return sys.getsizeof(value)
    if isinstance(value, dict):
        return sys.getsizeof(value) + sum(map(value_bytes, value.values()))
    if isinstance(value, list | tuple):
        return sys.getsizeof(value) + sum(map(value_bytes, value))
    if isinstance(value, BaseModel):
        return _MODEL_BYTES + sum(map(value_bytes, value.__dict__.values()))
    return sys.getsizeof(value)


def _message_bytes(message: Message) -> int:
    if type(message) is not Message or message.tool_calls or message.parts:
        return value_bytes(message)
    return _MODEL_BYTES + sys.getsizeof(message.content)
