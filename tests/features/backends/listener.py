"""A model that remembers what it was told, to show what a memory added."""

from typing import Any

from spine_core import Message, ModelResponse, Usage

FACTS = ("the otter is called Olga", "my bicycle is red")
QUESTION = "what is the otter called?"


class Listener:
    """It answers each conversation with its last words; `heard` is all that it was sent."""

    def __init__(self) -> None:
        self.heard: list[list[str]] = []

    async def complete(self, messages: list[Message], tools: Any = None, **_: Any) -> ModelResponse:
        self.heard.append([str(message.content) for message in messages])
        answer = Message.assistant(f"heard: {messages[-1].content}")
        return ModelResponse(message=answer, usage=Usage(input_tokens=1, output_tokens=1), finish_reason="stop")

    @property
    def recalled(self) -> list[str]:
        """What it was told before the user's words, in each conversation."""
        return ["\n".join(heard[:-1]) for heard in self.heard]


def recalled_from(memory: str) -> list[str]:
    """What a memory of that name adds when it is told the facts, then asked the question, with one hit for each."""
    olga, bicycle = (f"Relevant memories:\n- Q: {fact}\nA: heard: {fact}" for fact in FACTS)
    return ["", olga, bicycle if memory == "buffer" else olga]
