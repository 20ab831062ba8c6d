"""A conversation's messages as users' code has them: each is copied once."""

from dataclasses import dataclass, field
from itertools import chain
from operator import is_
from typing import Any, Final, NamedTuple

from spine_core import Message, State, ToolCall

from spine_temporal.activities.lent_messages import LentMessages
from spine_temporal.activities.state_copy import copy_of, working_copy
from spine_temporal.journal.replacing import copied
from spine_temporal.journal.state_delta import same_message

_NEVER_CHANGE: Final = frozenset({str, int, float, bool, type(None)})
# So many are copied anew in less time than it takes to look through a conversation of a thousand.
_FEW: Final = 64


class GivenBack(NamedTuple):
    """A State that was lent, with the originals in the place of the copies."""

    state: State
    unchanged: int
    """So many of the first messages are the originals; 0: nobody knows without a comparison."""


@dataclass(slots=True)
class WorkingMessages:
    """Copies of a conversation's messages for users' code, which may edit them; the originals are the ledger's.

    To copy a long conversation for every activity, and to compare it with the originals afterwards, costs more than all
    the rest of a step (measured: 10 ms for 2,000 messages). Here a message is copied when it is new, and only those are
    looked at that users' code has, or had, in hand. Of few of them there are new copies for the next activity; of many,
    one look tells whether any has been edited.
    """

    _originals: list[Message] = field(default_factory=list)
    _copies: list[Message] = field(default_factory=list)
    _out: dict[int, int] = field(default_factory=dict)
    """The places of the copies that were handed out, by their ids."""
    _texts: list[dict[str, Any]] = field(default_factory=list)
    """The fields of each that holds texts alone, and what they are if nobody has edited it."""
    _texts_were: list[dict[str, Any]] = field(default_factory=list)
    _views: list[Any] = field(default_factory=list)
    """What stands in everything that can be changed in the others, as a live view, and what it was."""
    _sizes_were: list[int] = field(default_factory=list)
    _contents_were: list[Any] = field(default_factory=list)
    _unwatched: list[int] = field(default_factory=list)
    """The places of those in which something stands that cannot be watched."""
    _lent: LentMessages | None = None

    def __len__(self) -> int:
        return len(self._copies)

    def lend(self, state: State) -> State:
        """A State equal to `state` that shares nothing mutable with it.

        Its messages are those lent before and others behind them: whose conversation was rewritten meanwhile takes new
        WorkingMessages.
        """
        known, messages = len(self._originals), state.messages
        if known > len(messages) or (known and messages[known - 1] is not self._originals[-1]):
            self.__init__()  # type: ignore[misc]
            known = 0
        self._originals += messages[known:]
        self._copies += map(copy_of, messages[known:])
        self._lent = LentMessages(self._copies, self._hand_out, self._hand_out_all)
        return working_copy(state, messages=self._lent)

    def given_back(self, state: State) -> GivenBack:
        """`state`, which was lent, with the originals in the place of the copies; as it is, if one of them was edited.

        Then, and when they stand in another order, no copy is kept: what was changed, only a comparison tells.
        """
        if not self._untouched():
            messages = state.messages
            if isinstance(messages, LentMessages):
                state = copied(state, messages=messages.stored())
            self.__init__()  # type: ignore[misc]
            return GivenBack(state, 0)
        messages, lent = state.messages, self._lent
        # It holds what was appended, which the ledger will have as it is recorded: as texts of its own.
        self._lent = None
        if isinstance(messages, LentMessages) and messages is lent and not messages.rearranged:
            same, messages = True, [*self._originals, *map(self._original, messages.appended())]
        else:
            messages = [self._original(message) for message in messages]
            same = len(messages) >= len(self) and all(map(is_, self._originals, messages))
        state, unchanged = copied(state, messages=messages), len(self) if same else 0
        if same:
            self._renew()
        else:
            self.__init__()  # type: ignore[misc]
        return GivenBack(state, unchanged)

    def _original(self, message: Message) -> Message:
        at = self._out.get(id(message))
        return message if at is None else self._originals[at]

    def _untouched(self) -> bool:
        return (
            self._texts == self._texts_were
            and list(map(len, self._views)) == self._sizes_were
            # By identity: Python finds 1 == True == 1.0, and a list that was replaced by an equal one is not watched.
            and all(map(is_, chain.from_iterable(self._views), self._contents_were))
            and all(same_message(self._originals[at], self._copies[at]) for at in self._unwatched)
        )

    def _renew(self) -> None:
        """Put new copies in the place of those that are not to be looked at again."""
        few = len(self._out) <= _FEW
        for at in self._out.values() if few else self._unwatched:
            if not few:
                del self._out[id(self._copies[at])]
            self._copies[at] = copy_of(self._originals[at])
        self._unwatched.clear()
        if few:
            for each in (self._out, self._texts, self._texts_were, self._views, self._sizes_were, self._contents_were):
                each.clear()

    def _hand_out_all(self) -> None:
        if len(self._out) < len(self._copies):
            for at, message in enumerate(self._copies):
                self._hand_out(at, message)

    def _hand_out(self, at: int, message: Message) -> None:
        # A list that somebody kept may hold a copy in whose place there is another by now.
        if id(message) in self._out or at >= len(self._copies) or self._copies[at] is not message:
            return
        self._out[id(message)] = at
        if _holds_texts_alone(message):
            self._texts.append(message.__dict__)
            self._texts_were.append(self._originals[at].__dict__)
            return
        views = list[Any]()
        if _watch(message, views):
            self._views += views
            self._sizes_were += map(len, views)
            self._contents_were += chain.from_iterable(views)
        else:
            self._unwatched.append(at)


def _holds_texts_alone(message: Message) -> bool:
    if type(message) is not Message or message.tool_calls != [] or message.parts is not None:
        return False
    return _NEVER_CHANGE.issuperset(map(type, (message.content, message.tool_call_id, message.name)))


def _watch(value: Any, views: list[Any]) -> bool:
    """Add to `views` all that can be changed in `value`; False: there is something in it that cannot be watched."""
    if type(value) in _NEVER_CHANGE:
        return True
    if type(value) is list:
        views.append(value)
        return all(_watch(each, views) for each in value)
    if type(value) is dict:
        views += (value.keys(), value.values())
        return all(_watch(each, views) for each in value.values())
    if type(value) is Message or type(value) is ToolCall:
        views.append(value.__dict__.values())
        return all(_watch(each, views) for name, each in value.__dict__.items() if name != "role")
    return False
