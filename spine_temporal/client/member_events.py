"""The events of a team's members, which are the team's."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from spine_temporal.client.live_history import Reading
from spine_temporal.client.reading_along import Identified
from spine_temporal.history.event_id import EventId

type EventsOf = Callable[[str, EventId | None], AsyncIterator[Identified]]
"""The events of the workflow of that id, behind one of them."""


class MemberEvents:
    """The members of a team, each followed once, when it has begun."""

    def __init__(self, events_of: EventsOf, after: EventId | None) -> None:
        self._events_of = events_of
        self._after = after
        """The id of a member's event, behind which to begin."""
        self._known: set[str] = set()

    def passed(self, reading: Reading) -> bool:
        """Whether what the team itself emits then comes behind the members' events that are to be left out."""
        return self._after is None or any(each.number >= self._after.members[0] for each in reading.members)

    async def events(self, reading: Reading, *, begun: bool) -> AsyncIterator[Identified]:
        """Those of members that are new in a reading; `begun`: they are not to be left out."""
        for member in reading.members:
            if not member.workflow_id or member.workflow_id in self._known:
                continue
            self._known.add(member.workflow_id)
            first = self._after.members[0] if self._after is not None else member.number
            if not begun or member.number < first:
                continue
            after = None
            if self._after is not None and member.number == first:
                after = replace(self._after, members=self._after.members[1:])
            async for id_, event in self._events_of(member.workflow_id, after):
                yield replace(id_, members=(member.number, *id_.members)), event
