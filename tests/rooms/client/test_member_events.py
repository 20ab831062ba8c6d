"""A team's members are followed one after the other, each to its end, however late the team hears of it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Final

import pytest
from spine_core import TraceEvent

from spine_temporal.client.live_history import Reading
from spine_temporal.client.member_events import MemberEvents
from spine_temporal.client.reading_along import Identified
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.subagent import Delegation
from spine_temporal.history.event_id import EventId
from spine_temporal.journal.ledger import Member
from spine_temporal.journal.progress import Progress
from spine_temporal.journal.tool_calls import Call, Calls, Phase, Subagent

FIRST: Final = Member(1, "line/1", "below-1")
SECOND: Final = Member(2, "line/2", "below-2")


@dataclass
class Below:
    """A member whose status of each number, up to the one that it has come to, is one event."""

    number: int
    is_over: bool = False
    paused_at: int | None = None
    followed: int = 0

    async def events(self, *, tokens_every_s: float | None, after: EventId | None) -> AsyncGenerator[Identified]:
        self.followed += 1
        for number in range(after.event + 1 if after is not None else 0, self.number + 1):
            yield EventId("run", number), TraceEvent(seq=number, type="some", step=1)
        self.paused_at = None if self.is_over else self.number


def reading(*members: Member, number: int = 0, status: str = "running") -> Reading:
    """What a team knows: its last member's status, with the number of that."""
    last = members[-1]
    subagent = Subagent(Delegation(agent=last.agent, input=""), last.workflow_id, status, number)
    call = Call(PlannedCall(id="1", name=last.agent), Phase.DELEGATED, subagent=subagent)
    progress = replace(Progress(), calls=Calls(last.number, (call,)))
    return Reading((), True, (0, 1), "run", progress, members, {}, {}, 1, closed=False)


async def ids(members: MemberEvents, reading: Reading) -> list[str]:
    return [str(id_) async for id_, _ in members.events(reading, begun=True)]


@pytest.mark.parametrize(
    "known",
    [reading(FIRST, number=3), reading(FIRST, status="over"), reading(FIRST, SECOND)],
    ids=["on", "over", "gone"],
)
async def test_a_member_that_paused_is_followed_on_when_its_team_knows_of_more(known: Reading) -> None:
    below = {FIRST.workflow_id: Below(1), SECOND.workflow_id: Below(0)}
    members = MemberEvents(below.__getitem__, tokens_every_s=None, after=None)
    assert await ids(members, reading(FIRST)) == ["1/run-0-0", "1/run-1-0"]
    for status in ("running", "paused"):
        assert await ids(members, reading(FIRST, number=1, status=status)) == []

    below[FIRST.workflow_id].number = 3

    assert (await ids(members, known))[:2] == ["1/run-2-0", "1/run-3-0"]
    assert not members.outran(known)


async def test_a_member_that_is_over_has_outrun_a_pause_that_its_team_knows_and_is_not_read_again() -> None:
    below = Below(3, is_over=True)
    members = MemberEvents({FIRST.workflow_id: below}.__getitem__, tokens_every_s=None, after=None)

    assert len(await ids(members, reading(FIRST, number=1, status="paused"))) == 4

    assert members.outran(reading(FIRST, number=1, status="paused"))
    assert await ids(members, reading(FIRST, status="over")) == []
    assert below.followed == 1


async def test_members_that_are_to_be_left_out_have_outrun_nothing() -> None:
    below = {FIRST.workflow_id: Below(3, is_over=True), SECOND.workflow_id: Below(1)}
    after = EventId("run", 0, members=(2,))
    members = MemberEvents(below.__getitem__, tokens_every_s=None, after=after)

    assert await ids(members, reading(FIRST, number=1, status="paused")) == []

    assert not members.outran(reading(FIRST, number=1, status="paused"))
    assert await ids(members, reading(FIRST, SECOND, number=1, status="paused")) == ["2/run-1-0"]
