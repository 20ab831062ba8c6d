"""Outcomes of tool calls, until they enter the conversation."""

from dataclasses import dataclass

from spine_temporal.contracts.approval import ApprovalRequest, ApprovalRequestSummary
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.state_delta import DeltaSummary, MessageSummary
from spine_temporal.contracts.tool_call import ToolBase, ToolSummary
from spine_temporal.journal.counters import Progress, is_spent, with_delta, with_ending
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.tool_calls import Call, Calls, Event, NoTransition, Phase, Subagent, ask


@dataclass(frozen=True, slots=True)
class Found:
    """A call of the step in hand."""

    calls: Calls
    index: int
    call: Call


def call_at(progress: Progress, position: Position | None) -> Found | None:
    """The call of the step in hand at that position; None: there is none."""
    calls = progress.calls
    if position is None or calls is None or position.step != calls.step or not 0 <= position.index < len(calls.items):
        return None
    return Found(calls, position.index, calls.items[position.index])


def with_outcome(progress: Progress, index: int, outcome: ToolBase) -> Progress:
    """A copy with one more outcome of a call, and with all that may enter the conversation now entered.

    The outcome of an attempt that was not the first to be recorded changes nothing.
    """
    calls = progress.calls
    if calls is None:
        return progress
    try:
        call = _moved(progress, calls.items[index], outcome)
    except NoTransition:
        return progress
    changed = calls.with_call(index, call)
    if outcome.later is not None:
        changed = changed.with_later(index, outcome.later)
    return _entered(progress, changed, index, outcome)


def entering(calls: Calls, index: int) -> list[int]:
    """Calls whose outcomes may enter the conversation now that the one at `index` has one more."""
    if not calls.together:
        return [index]
    # Side by side, they enter together.
    rest = range(calls.entered, len(calls.items))
    return list(rest) if all(calls.items[at].finished for at in rest) else []


def _moved(progress: Progress, call: Call, outcome: ToolBase) -> Call:
    if outcome.asks is not None:
        return ask(call, _request_summary(outcome.asks), progress.approval)
    if outcome.delegates is not None:
        return call.moved(Event.DELEGATE, subagent=Subagent(outcome.delegates))
    return call.moved(Event.FINISH, decision=None)


def _entered(progress: Progress, calls: Calls, index: int, latest: ToolBase) -> Progress:
    """A copy with the `latest` outcome entered, and what waited for it; one that has to wait is kept."""
    together, at_once = calls.together, entering(calls, index)
    if index not in at_once:
        call = calls.items[index]
        kept = replace(call, outcomes=(*call.outcomes, tool_summary(latest)))
        return replace(progress, calls=calls.with_call(index, kept))
    for at in at_once:
        call = calls.items[at]
        for outcome in (*call.outcomes, latest) if at == index else call.outcomes:
            progress = _with_entered_outcome(progress, outcome)
        if call.phase is Phase.DONE:
            # The kernel goes on after a pause with a list of its own.
            calls = replace(calls, group=at + 1) if call.ask is not None and not together else calls
            call = call.moved(Event.ENTER, outcomes=())
        else:
            call = replace(call, outcomes=())
        calls = calls.with_call(at, call)
    return replace(progress, calls=calls)


def _with_entered_outcome(progress: Progress, outcome: ToolBase) -> Progress:
    spent = outcome.spent if is_spent(outcome.spent) else None
    unpriced = outcome.unpriced_tokens
    progress = with_delta(progress, outcome.delta, outcome.last_text, banked=spent, unpriced_tokens=unpriced)
    if outcome.transfer:
        progress = replace(progress, transfer=outcome.transfer)
    if outcome.ending is not None and progress.ending is None:
        return with_ending(progress, outcome.ending)
    return progress


def tool_summary(outcome: ToolBase) -> ToolSummary:
    """The outcome as the workflow reads it, from whichever form."""
    if isinstance(outcome, ToolSummary):
        return outcome
    delta, asks = outcome.delta, outcome.asks
    return ToolSummary(
        id=outcome.id,
        delta=DeltaSummary(
            messages=[MessageSummary(role=each.role, content=each.content) for each in delta.messages],
            usage=delta.usage,
            usage_before=delta.usage_before,
            fields=delta.fields,
        ),
        ending=outcome.ending,
        last_text=outcome.last_text,
        spent=outcome.spent,
        unpriced_tokens=outcome.unpriced_tokens,
        asks=None if asks is None else _request_summary(asks),
        delegates=outcome.delegates,
        transfer=outcome.transfer,
        later=outcome.later,
    )


def _request_summary(asks: ApprovalRequestSummary | ApprovalRequest) -> ApprovalRequestSummary:
    return ApprovalRequestSummary(mode=asks.mode, payload=asks.payload, digest=asks.digest, asked_s=asks.asked_s)
