"""What a ledger holds of tool calls beyond their phases: results, questions, decisions."""

from typing import Final

from spine_core import Message, State, ToolCall

from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.subagent import SubagentOutcome
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.journal import state_delta, trace
from spine_temporal.journal.counters import is_spent
from spine_temporal.journal.entries import ApprovalExpired, Decided, ToolBegun, ToolDone
from spine_temporal.journal.ledger import CallContent, DecisionRecord, Ledger, with_versions
from spine_temporal.journal.replacing import copied, replace
from spine_temporal.journal.subagents import subagent_content
from spine_temporal.journal.tool_calls import Call, Phase
from spine_temporal.journal.tool_results import call_at
from spine_temporal.journal.trace import Event

DEFERRED: Final = "deferred_calls"
"""Where the kernel keeps the calls behind the one it is paused at, in `State.scratch`."""


def tool_begun(before: Ledger, after: Ledger, entry: ToolBegun) -> tuple[Ledger, list[Event]]:
    """A tool call was scheduled."""
    index, task = entry.task.index, entry.task
    if index >= len(before.calls):
        raise ValueError(f"call {index} belongs to no call of this step")
    found, spec = call_at(before.progress, Position(task.step, index)), before.progress.spec
    # A hook may still change the arguments or preset the result: then only the outcome knows. A gated call asks first.
    if task.resumed or found is None or spec is None or "before_tool" in spec.hooks:
        return after, []
    if not found.call.planned.known or found.call.planned.approve:
        return after, []
    content = before.calls[index]
    event = trace.tool_call(before.state.step, content.call.name, content.call.arguments)
    return after.with_content(index, replace(content, announced=True)), [event]


def tool_done(before: Ledger, after: Ledger, entry: ToolDone) -> tuple[Ledger, list[Event]]:
    """A tool call has an outcome."""
    index, outcome = entry.index, entry.outcome
    if not isinstance(outcome, ToolOutcome):
        raise TypeError("a ledger is made of outcomes in full, this is a summary")
    if index >= len(before.calls):
        raise ValueError(f"the result of call {index} belongs to no call of this step")
    return _with_outcome(before, with_versions(after, outcome.plugins), index, outcome)


def subagent_ended(
    before: Ledger, after: Ledger, position: Position | None, outcome: SubagentOutcome
) -> tuple[Ledger, list[Event]]:
    """A subagent is over."""
    found = call_at(before.progress, position)
    if found is None or found.call.phase is not Phase.DELEGATED or found.index >= len(before.calls):
        return after, []
    index, content = found.index, replace(before.calls[found.index], returned=outcome)
    after = after.with_content(index, content)
    subagent = found.call.subagent
    if subagent is not None and subagent.delegation.hooked:
        return after, []
    text = subagent_content(found.call.planned.name, outcome)
    result = ToolOutcome(
        id=f"{position} result",
        content=text,
        called=True,
        spent=outcome.usage,
        unpriced_tokens=outcome.unpriced_tokens,
    )
    return _with_outcome(before, after, index, result)


def decided(ledger: Ledger, entry: Decided) -> Ledger:
    """A person decided."""
    found = call_at(ledger.progress, Position.parse(entry.receipt.position))
    taken = found is not None and found.call.decision is not None and found.call.decision.id == entry.id
    if found is None or not taken or entry.request is None:
        return ledger
    decision, receipt = entry.request.decision, entry.receipt
    record = DecisionRecord(
        position=receipt.position,
        call_id=receipt.call_id,
        tool=receipt.tool,
        decision=_word(found.call, approved=receipt.approved),
        at_s=entry.at_s,
        decided_by=decision.decided_by if decision else None,
        reason=decision.reason if decision else None,
        edited=decision is not None and decision.arguments is not None,
    )
    requests = {**ledger.requests, entry.id: entry.request}
    return replace(ledger, requests=requests, decisions=(*ledger.decisions, record))


def expired(ledger: Ledger, entry: ApprovalExpired) -> Ledger:
    """Nobody decided in time."""
    record = entry.record
    found = call_at(ledger.progress, Position.parse(record.position))
    if found is None or found.call.decision is None or found.call.decision.id != entry.id:
        return ledger
    planned = found.call.planned
    reason = f"nobody decided within {record.timeout_s:g} s"
    made = DecisionRecord(record.position, planned.id, planned.name, "expired", record.at_s, reason=reason)
    return replace(ledger, decisions=(*ledger.decisions, made))


def _word(call: Call, *, approved: bool) -> str:
    if call.ask is not None and call.ask.mode == "manual":
        return "answered"
    return "approved" if approved else "rejected"


def _with_outcome(before: Ledger, after: Ledger, index: int, outcome: ToolOutcome) -> tuple[Ledger, list[Event]]:
    earlier, now = before.progress.calls, after.progress.calls
    if earlier is None or now is None or earlier.items[index].phase is now.items[index].phase:
        # A later attempt's: the first one that was recorded counts.
        return after, []
    if outcome.later is not None:
        later = tuple(CallContent(call) for call in outcome.later_calls)
        after = replace(after, calls=(*after.calls[: index + 1], *later))
    content = after.calls[index]
    call = outcome.call or content.call
    events = trace.tool_done(before.state.step, call, outcome, announced=content.announced)
    content = replace(
        content,
        call=call,
        outcomes=(*content.outcomes, outcome),
        announced=content.announced or outcome.called,
        request=outcome.asks or content.request,
        delegation=outcome.delegates or content.delegation,
    )
    return _with_entered(after, [*after.calls[:index], content, *after.calls[index + 1 :]]), events


def _with_entered(ledger: Ledger, contents: list[CallContent]) -> Ledger:
    """A copy with these contents, but for what has entered the State."""
    calls, state = ledger.progress.calls, ledger.state
    for index, content in enumerate(contents):
        call = calls.items[index] if calls is not None else None
        # The progress has taken in what has entered; what it still holds is still to come.
        if call is None or call.outcomes or not content.outcomes:
            continue
        for outcome in content.outcomes:
            state = _with_entered_outcome(state, content.call, outcome, asked=call.ask is not None)
        contents[index] = replace(content, outcomes=())
    return replace(ledger, state=state, calls=tuple(contents))


def _with_entered_outcome(state: State, call: ToolCall, outcome: ToolOutcome, *, asked: bool) -> State:
    spent = outcome.spent if is_spent(outcome.spent) else None
    state = state_delta.apply(state, outcome.delta, banked=spent)
    if outcome.ending is not None or outcome.asks is not None or outcome.delegates is not None:
        return state
    message = Message.tool(outcome.content, call.id, call.name)
    scratch = state.scratch
    if asked and DEFERRED in scratch:
        # The kernel takes the calls up again once it has the result of the one it was paused at.
        scratch = {key: value for key, value in scratch.items() if key != DEFERRED}
    return copied(state, messages=[*state.messages, message], scratch=scratch)
