"""Tool calls that a turn left without a result."""

from collections.abc import Sequence

from spine_core import Message


def answered(messages: Sequence[Message]) -> list[Message]:
    """The conversation with a result for every call of the last step: the APIs of models refuse one that lacks any.

    A turn that was stopped in the midst of its calls leaves such a conversation behind.
    """
    whole = list(messages)
    asked = next((at for at in range(len(whole) - 1, -1, -1) if whole[at].tool_calls), None)
    if asked is None:
        return whole
    results = [message for message in whole[asked + 1 :] if message.role == "tool"]
    if len(results) >= len(whole[asked].tool_calls):
        return whole
    return whole + [
        Message.tool(f"Tool '{call.name}' was not run: the turn was over before it.", call.id, call.name)
        for call in whole[asked].tool_calls[len(results) :]
    ]
