"""The events of a team's members, which are the team's."""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final, Protocol

from spine_temporal.client.live_history import Reading
from spine_temporal.client.reading_along import Identified
from spine_temporal.history.event_id import EventId
from spine_temporal.journal.ledger import Member

_NO_MORE: Final = sys.maxsize


class Followed(Protocol):
    """A member's workflow, followed."""

    @property
    def paused_at(self) -> int | None:
        """The number of the pause at which its events ended; None: they ended with its turn."""

    def events(self, *, tokens_every_s: float | None, after: EventId | None) -> AsyncGenerator[Identified]:
        """Its events behind one of them."""


@dataclass(frozen=True, slots=True)
class _Left:
    """Where the events of a member ended."""

    number: int
    """Of its status there; when there are no more to come, greater than any."""
    after: EventId | None = None
    """The last event."""


class MemberEvents:
    """The members of a team, each followed when it has begun, and on from a pause that the team knows is past."""

    def __init__(
        self, follower_of: Callable[[str], Followed], *, tokens_every_s: float | None, after: EventId | None
    ) -> None:
        self._follower_of = follower_of
        self._tokens_every_s = tokens_every_s
        self._after = after
        """The id of a member's event, behind which to begin."""
        self._left: dict[str, _Left] = {}
        self._over: set[str] = set()
        """Those whose events ended with their turn."""

    def passed(self, reading: Reading) -> bool:
        """Whether what the team itself emits then comes behind the members' events that are to be left out."""
        return self._after is None or any(each.number >= self._after.members[0] for each in reading.members)

    def outran(self, reading: Reading) -> bool:
        """Whether the last member is over by its own history, so that a pause there is past."""
        return bool(reading.members) and reading.members[-1].workflow_id in self._over

    async def events(self, reading: Reading, *, begun: bool) -> AsyncGenerator[Identified]:
        """Those of members that are new in a reading, or have gone on; `begun`: new ones are not to be left out."""
        for member in reading.members:
            if not member.workflow_id:
                continue
            left = self._left.setdefault(member.workflow_id, self._first(member, begun=begun))
            if left.number < _number(member, reading):
                async with aclosing(self._further(member, left.after)) as events:
                    async for each in events:
                        yield each

    def _first(self, member: Member, *, begun: bool) -> _Left:
        first = self._after.members[0] if self._after is not None else member.number
        if not begun or member.number < first:
            return _Left(_NO_MORE)
        if self._after is None or member.number > first:
            return _Left(-1)
        return _Left(-1, replace(self._after, members=self._after.members[1:]))

    async def _further(self, member: Member, after: EventId | None) -> AsyncGenerator[Identified]:
        follower = self._follower_of(member.workflow_id)
        async with aclosing(follower.events(tokens_every_s=self._tokens_every_s, after=after)) as events:
            async for after, event in events:
                yield replace(after, members=(member.number, *after.members)), event
        if follower.paused_at is None:
            self._over.add(member.workflow_id)
        self._left[member.workflow_id] = _Left(_NO_MORE if follower.paused_at is None else follower.paused_at, after)


def _number(member: Member, reading: Reading) -> int:
    """Of the last status of a member that its team knows; once that is over, as great as any."""
    calls = reading.progress.calls
    subagent = calls.items[0].subagent if calls is not None and calls.step == member.number else None
    return subagent.number if subagent is not None and subagent.status != "over" else _NO_MORE
