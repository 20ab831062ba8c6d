"""The list of messages that users' code is given: it knows what it has handed out."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, SupportsIndex, overload

from spine_core import Message


class LentMessages(list[Message]):
    """A list like any other. Whoever lent it learns which of the messages somebody may have in hand by now.

    A message that nobody was handed cannot have been edited, so nobody need look at it; a long conversation in which
    only the last messages are read costs as little as a short one. What reads a list's storage without asking the list
    (pydantic's validation does) gets the same messages, unnoticed: an edit of one that came about in this way alone is
    recorded when the message is next handed out.
    """

    __slots__ = ("_hand_out", "_hand_out_all", "known", "rearranged")

    def __init__(
        self, messages: Iterable[Message], hand_out: Callable[[int, Message], None], hand_out_all: Callable[[], None]
    ) -> None:
        super().__init__(messages)
        self.known = len(self)
        """So many of the first are lent; behind them stands what was appended."""
        self.rearranged = False
        """Something else was done to the list than to append to it."""
        self._hand_out = hand_out
        self._hand_out_all = hand_out_all

    def stored(self) -> list[Message]:
        """What stands in it, for whoever lent it: nothing is handed out."""
        return list(super().__iter__())

    def appended(self) -> list[Message]:
        """What somebody has appended."""
        return super().__getitem__(slice(self.known, None))

    @overload
    def __getitem__(self, at: SupportsIndex, /) -> Message: ...
    @overload
    def __getitem__(self, at: slice, /) -> list[Message]: ...
    def __getitem__(self, at: Any, /) -> Any:
        found = super().__getitem__(at)
        if not self.rearranged:
            length = len(self)
            if isinstance(at, slice):
                for index, message in zip(range(*at.indices(length)), found, strict=True):
                    self._lend(index, message)
            else:
                self._lend(range(length)[at], found)
        return found

    def _lend(self, index: int, message: Message) -> None:
        if index < self.known:
            self._hand_out(index, message)

    def __iter__(self) -> Iterator[Message]:
        self._all()
        return super().__iter__()

    def __reversed__(self) -> Iterator[Message]:
        at = len(self)
        while 0 < at <= len(self):
            at -= 1
            yield self[at]

    def __add__(self, other: Any, /) -> Any:
        self._all()
        return super().__add__(other)

    def __radd__(self, other: list[Message], /) -> list[Message]:
        return [*other, *self]

    def __mul__(self, times: SupportsIndex, /) -> list[Message]:
        self._all()
        return super().__mul__(times)

    __rmul__ = __mul__

    def copy(self) -> list[Message]:
        """An ordinary list of the same messages."""
        return list(self)

    def __copy__(self) -> list[Message]:
        return list(self)

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> tuple[type[list[Message]], tuple[list[Message]]]:
        return list, (list(self),)

    def __setitem__(self, at: Any, value: Any, /) -> None:
        self._rearrange()
        super().__setitem__(at, value)

    def __delitem__(self, at: Any, /) -> None:
        self._rearrange()
        super().__delitem__(at)

    def __imul__(self, times: SupportsIndex, /) -> Self:
        self._rearrange()
        return super().__imul__(times)

    def insert(self, at: SupportsIndex, message: Message, /) -> None:
        """As a list does."""
        self._rearrange()
        super().insert(at, message)

    def pop(self, at: SupportsIndex = -1, /) -> Message:
        """As a list does."""
        self._rearrange()
        return super().pop(at)

    def remove(self, message: Message, /) -> None:
        """As a list does."""
        self._rearrange()
        super().remove(message)

    def clear(self) -> None:
        """As a list does."""
        self._rearrange()
        super().clear()

    def reverse(self) -> None:
        """As a list does."""
        self._rearrange()
        super().reverse()

    def sort(self, *, key: Any = None, reverse: bool = False) -> None:
        """As a list does."""
        self._rearrange()
        super().sort(key=key, reverse=reverse)

    def _all(self) -> None:
        if not self.rearranged:
            self._hand_out_all()

    def _rearrange(self) -> None:
        self._all()
        self.rearranged = True
