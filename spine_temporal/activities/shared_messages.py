"""A conversation of which users' code sees one message at most: that whose tools run."""

from dataclasses import dataclass, field

from spine_core import Message, State

from spine_temporal.activities.state_copy import copy_of, working_copy
from spine_temporal.activities.working_messages import GivenBack
from spine_temporal.journal.replacing import copied
from spine_temporal.journal.state_delta import same_message


@dataclass(slots=True)
class SharedMessages:
    """Lends a conversation for a tool call of an agent whose hooks see none of it: what nobody sees is shared."""

    _originals: list[Message] = field(default_factory=list)
    _seen: tuple[Message, Message] | None = None
    """The message whose tools run, and the copy of it that they may edit."""

    def lend(self, state: State) -> State:
        """A State equal to `state`; all that users' code can change in it is its own."""
        self._originals, messages = state.messages, list(state.messages)
        for at in reversed(range(len(messages))):
            if messages[at].tool_calls:
                original, messages[at] = messages[at], copy_of(messages[at])
                self._seen = original, messages[at]
                break
        return working_copy(state, messages=messages)

    def given_back(self, state: State) -> GivenBack:
        """`state`, which was lent, with the original in the place of the copy; as it is, if that was edited."""
        if self._seen is not None and not same_message(*self._seen):
            return GivenBack(state, 0)
        return GivenBack(copied(state, messages=self._originals), len(self._originals))
