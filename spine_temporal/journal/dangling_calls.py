"""Tool calls that a turn left without a result."""

from collections.abc import Callable, Sequence

from spine_core import Message, ToolCall

from spine_temporal.journal.ledger import Ledger
from spine_temporal.journal.replacing import copied, replace
from spine_temporal.journal.tool_calls import Call, Phase


def close_dangling_calls(ledger: Ledger) -> list[Message]:
    """The conversation with a result for every call of the last step: the APIs of models refuse one that lacks any.

    A turn that was stopped in the midst of its calls leaves such a conversation behind. What had finished has its
    result; of what had begun, nobody knows; the rest was not run.
    """
    calls = ledger.progress.calls

    def result(index: int, call: ToolCall) -> str:
        known = index < len(ledger.calls) and calls is not None and index < len(calls.items)
        finished = [each.content for each in ledger.calls[index].outcomes if each.asks is None] if known else []
        if finished:
            return finished[-1]
        return _unknown(call) if known and calls is not None and _has_begun(calls.items[index]) else _not_run(call)

    return with_results(ledger.state.messages, result)


def with_unanswered(ledger: Ledger, texts: Sequence[str]) -> Ledger:
    """The ledger, with the user's inputs of turns that were closed before they began."""
    messages = [*close_dangling_calls(ledger), *map(Message.user, texts)]
    return replace(ledger, state=copied(ledger.state, messages=messages), first_input=None)


def with_results(messages: Sequence[Message], result: Callable[[int, ToolCall], str]) -> list[Message]:
    """`messages`, and `result(index, call)` for each call of the last step that has none, in the order of the calls."""
    kept = list(messages)
    asked = next((at for at in range(len(kept) - 1, -1, -1) if kept[at].tool_calls), None)
    if asked is None:
        return kept
    answered = [message.tool_call_id for message in kept[asked + 1 :] if message.role == "tool"]
    for index, call in enumerate(kept[asked].tool_calls):
        if call.id in answered:
            # Ids are the model's and need not be unique: each result answers one call.
            answered.remove(call.id)
        else:
            kept.append(Message.tool(result(index, call), call.id, call.name))
    return kept


def _has_begun(call: Call) -> bool:
    # One that asked and was never approved did not run: its activity stopped at the gate.
    manual = call.ask is not None and call.ask.mode == "manual"
    started = call.phase in (Phase.RUNNING, Phase.DELEGATED, Phase.RETURNED)
    only_asking = call.planned.approve and call.begun <= 1 and call.ask is None
    return manual or (started and not only_asking)


def _unknown(call: ToolCall) -> str:
    return (
        f"Tool '{call.name}' had begun when the turn was ended. Nobody knows whether it was done, or how far: "
        "look before it is done again."
    )


def _not_run(call: ToolCall) -> str:
    return f"Tool '{call.name}' was not run: the turn was over before it."
