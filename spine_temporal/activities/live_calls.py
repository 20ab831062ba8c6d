"""The calls of a step as hooks may change them while they run, one after another.

The kernel goes through the list in the model's message itself. A hook that changes a call behind the one in hand, or
takes one out or puts one in, changes what runs. Behind a pause it goes through a copy, as it does side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from spine_core import State, ToolCall

from spine_temporal.activities.resumption import Resumption
from spine_temporal.journal.ledger import Ledger


@dataclass(slots=True)
class LiveCalls:
    """The list that the kernel would go through, in the copy of the State that hooks work on."""

    index: int
    """Of the call in hand."""
    before: Sequence[ToolCall]
    """As they were when the call began."""
    now: list[ToolCall]

    @property
    def changed(self) -> list[ToolCall] | None:
        """The calls behind the one in hand, if hooks changed them; None: they did not."""
        behind = self.now[self.index + 1 :]
        return behind if behind != list(self.before[self.index + 1 :]) else None


def goes_through_the_message(ledger: Ledger, goes_on: Resumption | None) -> bool:
    """Whether the kernel would still go through the list in the message."""
    calls, decided = ledger.progress.calls, goes_on is not None and bool(goes_on.decision)
    return calls is not None and not calls.together and calls.group == 0 and not decided


def live_calls(state: State, calls: Sequence[ToolCall], index: int) -> LiveCalls | None:
    """The list in the message of `state` whose calls from `index` on are `calls`; None: a hook has put in another."""
    for message in reversed(state.messages):
        if message.tool_calls:
            found = message.tool_calls
            return LiveCalls(index, calls, found) if found[index:] == list(calls[index:]) else None
    return None
