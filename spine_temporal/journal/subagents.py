"""Agents that work on calls of this one, or one after another for a team."""

from typing import Final

from spine_core import StopReason

from spine_temporal.contracts.run_end import Ending, RunOutcome
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.subagent import Delegation, SubagentOutcome, SubagentStatus
from spine_temporal.contracts.team import TeamPlan
from spine_temporal.contracts.tool_call import ToolSummary
from spine_temporal.journal.counters import Progress, with_ending
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.tool_calls import Call, Calls, Event, Phase, Subagent
from spine_temporal.journal.tool_results import call_at, with_outcome

CANCELLED_SUBAGENT: Final = SubagentOutcome(reason=StopReason.CANCELLED.value)
"""What a parent keeps of a subagent whose workflow was cancelled."""


def started(progress: Progress, position: Position, workflow_id: str) -> Progress:
    """A copy that knows the workflow of a subagent."""
    found = call_at(progress, position)
    if found is None or found.call.subagent is None:
        return progress
    # What it was given stands in its own history from now on.
    delegation = found.call.subagent.delegation.model_copy(update={"input": ""})
    subagent = replace(found.call.subagent, workflow_id=workflow_id, delegation=delegation)
    return replace(progress, calls=found.calls.with_call(found.index, replace(found.call, subagent=subagent)))


def status_changed(progress: Progress, status: SubagentStatus) -> Progress:
    """A copy that knows that a subagent paused, goes on, or is over; what comes out of order is dropped."""
    position = Position.parse(status.position)
    if status.outcome is not None:
        return done(progress, position, status.outcome) if position is not None else progress
    found = call_at(progress, position)
    subagent = found.call.subagent if found is not None else None
    if found is None or subagent is None or subagent.number >= status.number:
        return progress
    subagent = replace(subagent, status=status.status, number=status.number, interrupt=status.interrupt)
    return replace(progress, calls=found.calls.with_call(found.index, replace(found.call, subagent=subagent)))


def done(progress: Progress, position: Position, outcome: SubagentOutcome) -> Progress:
    """A copy that knows what came of a subagent; reported again, or when the turn has ended, nothing changes."""
    found = call_at(progress, position)
    if progress.status == "idle":
        # The Result has been given.
        return progress
    if found is None or found.call.phase is not Phase.DELEGATED or found.call.subagent is None:
        return progress
    call = replace(found.call, subagent=replace(found.call.subagent, status="over"))
    known = replace(progress, calls=found.calls.with_call(found.index, call))
    team = progress.spec.team if progress.spec is not None else None
    if team is not None:
        return _member_done(known, team, outcome)
    if found.call.subagent.delegation.hooked:
        returned = found.calls.with_call(found.index, call.moved(Event.RETURN))
        return replace(progress, calls=returned)
    spent = {"spent": outcome.usage, "unpriced_tokens": outcome.unpriced_tokens}
    return with_outcome(known, found.index, ToolSummary(id=f"{position} result", **spent))


def subagent_content(name: str, outcome: SubagentOutcome) -> str:
    """What the model reads of a subagent's end, in the kernel's words."""
    if outcome.reason:
        return outcome.answer or f"[sub-agent stopped: {outcome.reason}]"
    return f"Error executing tool '{name}': {outcome.error}"


def subagent_outcome(outcome: RunOutcome) -> SubagentOutcome:
    """What a parent keeps of a run's outcome."""
    return SubagentOutcome(
        answer=outcome.answer,
        reason=outcome.reason.value,
        error=outcome.error,
        usage=outcome.usage,
        unpriced_tokens=outcome.unpriced_tokens,
        transfer=outcome.transfer,
    )


def with_first_member(progress: Progress, team: TeamPlan) -> Progress:
    """A copy in which the team's first member has the call; its input is the team's own."""
    return _with_member(progress, 1, team.start or next(iter(team.members)), team, progress.team_input or "")


def _member_done(progress: Progress, team: TeamPlan, outcome: SubagentOutcome) -> Progress:
    calls = progress.calls
    if calls is None:
        return progress
    unpriced_tokens = progress.unpriced_tokens + outcome.unpriced_tokens
    progress = replace(progress, usage=progress.usage + outcome.usage, unpriced_tokens=unpriced_tokens)
    following = _following(team, outcome, calls.step)
    if following is None or progress.stop_requested or not outcome.reason:
        reason = StopReason(outcome.reason or StopReason.ERROR)
        return with_ending(progress, Ending(reason=reason, answer=outcome.answer, error=outcome.error))
    answer = (outcome.answer if team.kind == "sequential" else progress.team_input) or ""
    return _with_member(progress, calls.step + 1, following, team, answer)


def _following(team: TeamPlan, outcome: SubagentOutcome, number: int) -> str | None:
    if team.kind == "handoff":
        return outcome.transfer if number <= team.max_handoffs and outcome.transfer in team.members else None
    names = list(team.members)
    return names[number] if number < len(names) else None


def _with_member(progress: Progress, number: int, name: str, team: TeamPlan, input: str) -> Progress:
    subagent = Subagent(Delegation(agent=team.members[name], input=input))
    member = Call(PlannedCall(id=name, name=name), Phase.DELEGATED, subagent=subagent)
    return replace(progress, calls=Calls(number, (member,)))
