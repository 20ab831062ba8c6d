"""A provider that needs back what it signed."""

from datetime import UTC, datetime
from typing import Any

from pydantic import Field
from spine_core import Message, ModelResponse, Role, ToolCall, Usage


class SignedCall(ToolCall):
    thought: str = ""


class SignedMessage(Message):
    signature: str
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    notes: list[str] = Field(default_factory=list)


class Signer:
    """Signs what it says, and writes down whose signatures it gets back."""

    def __init__(self, *steps: list[ToolCall]) -> None:
        self._steps = steps
        self.got: list[list[Any]] = []

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        said = [message for message in messages if message.role == Role.ASSISTANT]
        self.got.append(
            [
                (
                    type(each).__name__,
                    getattr(each, "signature", None),
                    getattr(each, "at", None),
                    [(type(call).__name__, getattr(call, "thought", None)) for call in each.tool_calls],
                )
                for each in said
            ]
        )
        at = len(said)
        asked = self._steps[at] if at < len(self._steps) else []
        message = SignedMessage(
            role=Role.ASSISTANT,
            content=None if asked else "done",
            tool_calls=asked,
            signature=f"signed {at}",
        )
        return ModelResponse(message=message, usage=Usage(input_tokens=1), finish_reason="stop")
