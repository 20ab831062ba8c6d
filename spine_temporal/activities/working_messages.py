"""A conversation's messages as users' code has them: each is copied once."""

from dataclasses import dataclass, field
from itertools import chain
from operator import is_
from typing import Any, Final

from spine_core import Message, State, ToolCall

from spine_temporal.activities.state_copy import copy_of, working_copy

_NEVER_CHANGE: Final = frozenset({str, int, float, bool, type(None)})


@dataclass(slots=True)
class WorkingMessages:
    """Copies of a conversation's messages for users' code, which may edit them; the originals are the ledger's.

    To copy a long conversation for every activity, and to compare it with the originals afterwards, costs more than all
    the rest of a step (measured: 10 ms for 2,000 messages). Here a message is copied when it is new, and a look of half
    a millisecond tells whether any of the copies has been edited.
    """

    _originals: list[Message] = field(default_factory=list)
    _copies: list[Message] = field(default_factory=list)
    """Of a message that cannot be watched: none, the original stands in its place."""
    _unwatched: list[int] = field(default_factory=list)
    """The places of messages that are copied anew each time."""
    _texts: list[dict[str, Any]] = field(default_factory=list)
    """The fields of each copy that holds texts alone, and what they are if nobody has edited it."""
    _texts_were: list[dict[str, Any]] = field(default_factory=list)
    _views: list[Any] = field(default_factory=list)
    """What stands in everything that can be changed in the other copies, as a live view, and what it was."""
    _sizes_were: list[int] = field(default_factory=list)
    _contents_were: list[Any] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._copies)

    def lend(self, state: State) -> State:
        """A State equal to `state` that shares nothing mutable with it."""
        known = len(self._originals)
        if known > len(state.messages) or not all(map(is_, self._originals, state.messages)):
            self.__init__()  # type: ignore[misc]
            known = 0
        for message in state.messages[known:]:
            self._add(message)
        messages = list(self._copies)
        for at in self._unwatched:
            messages[at] = copy_of(messages[at])
        return working_copy(state, messages=messages)

    def given_back(self, state: State) -> State:
        """`state`, which was lent, with the originals in the place of the copies; as it is, if one of them was edited.

        Then no copy is kept: what is an edit and what is not, only a comparison tells.
        """
        if not self._untouched():
            self.__init__()  # type: ignore[misc]
            return state
        messages, known = state.messages, len(self._copies)
        if len(messages) >= known and all(map(is_, self._copies, messages)):
            return state.model_copy(update={"messages": [*self._originals, *messages[known:]]})
        originals = {id(made): original for made, original in zip(self._copies, self._originals, strict=True)}
        return state.model_copy(update={"messages": [originals.get(id(message), message) for message in messages]})

    def _untouched(self) -> bool:
        return (
            self._texts == self._texts_were
            and list(map(len, self._views)) == self._sizes_were
            # By identity: Python finds 1 == True == 1.0, and a list that was replaced by an equal one is not watched.
            and all(map(is_, chain.from_iterable(self._views), self._contents_were))
        )

    def _add(self, message: Message) -> None:
        copied, views = copy_of(message), list[Any]()
        if not _watch(copied, views):
            self._unwatched.append(len(self._copies))
            copied = message
        elif message.tool_calls or message.parts is not None:
            self._views += views
            self._sizes_were += map(len, views)
            self._contents_were += chain.from_iterable(views)
        else:
            self._texts.append(copied.__dict__)
            self._texts_were.append(message.__dict__)
        self._originals.append(message)
        self._copies.append(copied)


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
