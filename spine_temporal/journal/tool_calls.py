"""The tool calls of one step: each has a phase, one table says which may follow.

Two laws. A call is in exactly one phase, and it leaves it only by a pair in `TRANSITIONS`; what has no pair is
refused or passed over by whoever asked, never half done. Results enter the conversation in the order of the calls, as
in the kernel, whatever order they arrive in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from spine_temporal.contracts.approval import ApprovalPolicy, ApprovalRequestSummary
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.subagent import Delegation
from spine_temporal.contracts.tool_call import ToolSummary
from spine_temporal.journal.replacing import replace

MAX_AT_WORK: Final = 500
"""Calls of a step that begin at once; the others follow in waves. A stock server takes 2,000 pending activities of one
run, and as many children; a workflow task has two seconds for all that it schedules."""


class Phase(StrEnum):
    """Where a tool call is."""

    PLANNED = "planned"
    """The model asked for it; its turn has not come. A gated one may be decided already."""
    RUNNING = "running"
    """Its activity was scheduled."""
    ASKED = "asked"
    """It waits for a person."""
    DECIDED = "decided"
    """A person, or the clock, has decided; it goes on when its turn comes."""
    DELEGATED = "delegated"
    """Another agent works on it."""
    RETURNED = "returned"
    """That agent is over; a hook has yet to see what it gave back."""
    DONE = "done"
    """It has its result."""
    ENTERED = "entered"
    """The result is in the conversation."""


class Event(StrEnum):
    """What happens to a tool call."""

    BEGIN = "begin"
    """Its activity is scheduled."""
    ASK = "ask"
    """The activity met a gate, or the tool raised `Interrupt`."""
    DECIDE = "decide"
    """A person decided."""
    EXPIRE = "expire"
    """Nobody decided in time."""
    DELEGATE = "delegate"
    """The tool is another agent."""
    RETURN = "return"
    """That agent is over, and a hook is to see it."""
    FINISH = "finish"
    """There is a result."""
    ENTER = "enter"
    """The result enters the conversation."""


TRANSITIONS: Final[dict[tuple[Phase, Event], Phase]] = {
    (Phase.PLANNED, Event.BEGIN): Phase.RUNNING,
    (Phase.PLANNED, Event.DECIDE): Phase.PLANNED,
    (Phase.RUNNING, Event.DECIDE): Phase.RUNNING,
    (Phase.RUNNING, Event.ASK): Phase.ASKED,
    (Phase.RUNNING, Event.DELEGATE): Phase.DELEGATED,
    (Phase.RUNNING, Event.FINISH): Phase.DONE,
    (Phase.ASKED, Event.DECIDE): Phase.DECIDED,
    (Phase.ASKED, Event.EXPIRE): Phase.DECIDED,
    (Phase.DECIDED, Event.BEGIN): Phase.RUNNING,
    (Phase.DELEGATED, Event.RETURN): Phase.RETURNED,
    (Phase.DELEGATED, Event.FINISH): Phase.DONE,
    (Phase.RETURNED, Event.BEGIN): Phase.RUNNING,
    (Phase.DONE, Event.ENTER): Phase.ENTERED,
}
"""What may follow. A decision that comes before the call has asked is kept, and used when it asks."""


class NoTransition(ValueError):
    """The call is in a phase in which that cannot happen."""


@dataclass(frozen=True, slots=True)
class CallDecision:
    """What was decided of a call."""

    id: str
    """Of the entry that brought it."""
    approved: bool
    digest: str = ""
    """Of the arguments that were decided on."""
    expired_after_s: float | None = None
    """Nobody decided within so many seconds; None: somebody did."""


@dataclass(frozen=True)
class Subagent:
    """The agent that works on a call, as its parent knows it."""

    delegation: Delegation
    workflow_id: str = ""
    """Empty: it has not started."""
    status: str = "running"
    number: int = 0
    """Of its last status change that was reported."""
    interrupt: Any = None
    """What it asks of a person."""


@dataclass(frozen=True)
class Call:
    """One tool call of the step in hand."""

    planned: PlannedCall
    phase: Phase = Phase.PLANNED
    begun: int = 0
    """How often its activity was scheduled."""
    outcomes: tuple[ToolSummary, ...] = ()
    """What came of it and has not entered the conversation yet."""
    ask: ApprovalRequestSummary | None = None
    """What it asks, or asked last."""
    expires_s: float | None = None
    """When its decision is due, in Unix time by the server's clock."""
    decision: CallDecision | None = None
    """Taken, and not carried out yet."""
    settled: str = ""
    """What was decided, for whoever comes late: "approved by anna"."""
    subagent: Subagent | None = None

    @property
    def decidable(self) -> bool:
        """Whether a decision on it would be taken."""
        if self.decision is not None:
            return False
        gated_and_early = self.planned.approve and self.ask is None
        return self.phase is Phase.ASKED or (gated_and_early and self.phase in (Phase.PLANNED, Phase.RUNNING))

    @property
    def resumes(self) -> bool:
        """It goes on with what it had waited for."""
        return self.phase in (Phase.DECIDED, Phase.RETURNED)

    @property
    def finished(self) -> bool:
        """It has its result."""
        return self.phase in (Phase.DONE, Phase.ENTERED)

    @property
    def waits_for_a_person(self) -> bool:
        """It, or the agent that works on it, waits for a decision."""
        return self.phase is Phase.ASKED or self.subagent_is("paused")

    @property
    def busy(self) -> bool:
        """Something works on it now: an activity, or an agent that is not paused."""
        return self.phase is Phase.RUNNING or self.subagent_is("running")

    def subagent_is(self, status: str) -> bool:
        """Whether an agent works on it, and has that status."""
        return self.phase is Phase.DELEGATED and self.subagent is not None and self.subagent.status == status

    def moved(self, event: Event, **changes: Any) -> "Call":
        """A copy in the phase that follows on `event`, with these fields replaced.

        Raises:
            NoTransition: nothing follows.
        """
        following = TRANSITIONS.get((self.phase, event))
        if following is None:
            raise NoTransition(f"call {self.planned.id!r} of {self.planned.name!r} is {self.phase}: no {event} now")
        return replace(self, phase=following, **changes)


@dataclass(frozen=True)
class Calls:
    """The calls of a step.

    One after another, each begins when the one before it has entered. Side by side, all begin at once and enter
    together. A call may have several outcomes: it asks a person, or another agent, before it has its result.
    """

    step: int
    items: tuple[Call, ...]
    parallel: bool = False
    """The agent runs calls side by side where the kernel would: not in a group with a gated one."""
    group: int = 0
    """Where the calls begin that the kernel would run as one list: after a pause, those behind the one decided."""

    @property
    def entered(self) -> int:
        """How many results have entered the conversation."""
        return next((at for at, call in enumerate(self.items) if call.phase is not Phase.ENTERED), len(self.items))

    @property
    def over(self) -> bool:
        """Every result has entered the conversation."""
        return self.entered == len(self.items)

    @property
    def together(self) -> bool:
        """Whether the calls of the group run side by side."""
        rest = self.items[self.group :]
        return self.parallel and len(rest) > 1 and not any(call.planned.approve for call in rest)

    def runnable(self) -> tuple[int, ...]:
        """Indices of the calls that may begin, or go on; of very many, those of the next wave."""
        entered = self.entered
        stop = len(self.items) if self.together else min(entered + 1, len(self.items))
        found = (at for at in range(entered, stop) if self.items[at].phase is Phase.PLANNED or self.items[at].resumes)
        wave = tuple(islice(found, MAX_AT_WORK + 1))
        if len(wave) <= MAX_AT_WORK:
            return wave
        # All of a wave begin from the same State; one that filled each gap would have each call look for another.
        return () if self.busy else wave[:MAX_AT_WORK]

    def decidable(self) -> list[int]:
        """Calls that a person may decide: those that asked, and gated ones whose turn has not come yet."""
        return [at for at, call in enumerate(self.items) if call.decidable]

    def waiting_at(self) -> int | None:
        """The first call that waits for a person, itself or its agent; None: none does."""
        return next((at for at, call in enumerate(self.items) if call.waits_for_a_person), None)

    @property
    def busy(self) -> bool:
        """Something works on one of them."""
        return any(call.busy for call in self.items)

    def next_expiry_s(self) -> float | None:
        """When the next decision is due, in Unix time; None: none is."""
        due = [call.expires_s for call in self.items if call.phase is Phase.ASKED and call.expires_s is not None]
        return min(due, default=None)

    def position(self, index: int) -> Position:
        """The position of a call."""
        return Position(self.step, index)

    def with_call(self, index: int, call: Call) -> "Calls":
        """A copy with the call at `index` replaced."""
        return replace(self, items=(*self.items[:index], call, *self.items[index + 1 :]))

    def with_later(self, index: int, later: Sequence[PlannedCall]) -> "Calls":
        """A copy with the calls behind `index` planned anew; what was decided of one holds if its plan is the same."""
        behind = dict(enumerate(self.items[index + 1 :]))
        new = (
            behind[at] if at in behind and behind[at].planned == planned else Call(planned)
            for at, planned in enumerate(later)
        )
        return replace(self, items=(*self.items[: index + 1], *new))


def begin(call: Call) -> Call:
    """A copy whose activity was scheduled, with what it had waited for used up.

    Raises:
        NoTransition: it cannot begin.
    """
    decision = None if call.phase is Phase.DECIDED else call.decision
    return call.moved(Event.BEGIN, begun=call.begun + 1, decision=decision)


def ask(call: Call, asking: ApprovalRequestSummary, default: ApprovalPolicy | None) -> Call:
    """A copy that waits for a person; a decision that came before, on the same arguments, is taken at once.

    Raises:
        NoTransition: it is not running.
    """
    policy = call.planned.approval or default
    timeout_s = policy.timeout_s if policy is not None else None
    due_s = asking.asked_s + timeout_s if timeout_s is not None else None
    early = call.decision
    asked = call.moved(Event.ASK, ask=asking, expires_s=due_s, decision=None)
    # One that was taken for other arguments than those that the hooks made of them is dropped.
    return decide(asked, early, call.settled) if early is not None else asked


def decide(call: Call, decision: CallDecision, settled: str) -> Call:
    """A copy with that decision; one on other arguments than the call asks about changes nothing.

    Raises:
        NoTransition: nothing can be decided of it.
    """
    if call.phase is Phase.ASKED and call.ask is not None and decision.digest != call.ask.digest:
        return replace(call, settled="")
    event = Event.EXPIRE if decision.expired_after_s is not None else Event.DECIDE
    return call.moved(event, decision=decision, settled=settled, expires_s=None)
