"""Outcomes of tool calls, until they enter the conversation."""

from dataclasses import dataclass

from spine_core import Usage

from spine_temporal.contracts.approval import ApprovalRequestSummary
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.state_delta import DeltaSummary, MessageSummary
from spine_temporal.contracts.tool_call import ToolBase, ToolSummary
from spine_temporal.journal.counters import Progress, with_delta, with_ending
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.tool_calls import Call, Calls, Event, NoTransition, Phase, Subagent, ask


@dataclass(frozen=True, slots=True)
class Found:
    """A call of the step in hand."""

    calls: Calls
    index: int
    call: Call


def call_at(progress: Progress, position: str) -> Found | None:
    """The call of the step in hand at "step.index"; None: there is none."""
    where, calls = Position.parse(position), progress.calls
    if where is None or calls is None or where.step != calls.step or where.index >= len(calls.items):
        return None
    return Found(calls, where.index, calls.items[where.index])


def with_outcome(progress: Progress, index: int, outcome: ToolBase) -> Progress:
    """A copy with one more outcome of a call, and with all that may enter the conversation now entered.

    The outcome of an attempt that was not the first to be recorded changes nothing.
    """
    calls = progress.calls
    if calls is None:
        return progress
    try:
        call = _with_outcome(progress, calls.items[index], tool_summary(outcome))
    except NoTransition:
        return progress
    changed = calls.with_call(index, call)
    if outcome.later is not None:
        changed = changed.with_later(index, outcome.later)
    return _entered(replace(progress, calls=changed), index)


def entering(calls: Calls, index: int) -> list[int]:
    """Calls whose outcomes may enter the conversation now that the one at `index` has one more."""
    if not calls.together:
        return [index]
    # Side by side, they enter together.
    rest = range(calls.entered, len(calls.items))
    return list(rest) if all(calls.items[at].finished for at in rest) else []


def _with_outcome(progress: Progress, call: Call, outcome: ToolSummary) -> Call:
    kept = replace(call, outcomes=(*call.outcomes, outcome))
    if outcome.asks is not None:
        return ask(kept, outcome.asks, progress.approval)
    if outcome.delegates is not None:
        return replace(kept.moved(Event.DELEGATE), subagent=Subagent(outcome.delegates))
    return replace(kept.moved(Event.FINISH), decision=None)


def _entered(progress: Progress, index: int) -> Progress:
    calls = progress.calls
    if calls is None:
        return progress
    together = calls.together
    for at in entering(calls, index):
        call = calls.items[at]
        for outcome in call.outcomes:
            progress = _with_entered_outcome(progress, outcome)
        call = replace(call, outcomes=())
        if call.phase is Phase.DONE:
            call = call.moved(Event.ENTER)
            # The kernel goes on after a pause with a list of its own.
            calls = replace(calls, group=at + 1) if call.ask is not None and not together else calls
        calls = calls.with_call(at, call)
    return replace(progress, calls=calls)


def _with_entered_outcome(progress: Progress, outcome: ToolSummary) -> Progress:
    spent = outcome.spent if outcome.spent != Usage() else None
    unpriced = outcome.unpriced_tokens
    progress = with_delta(progress, outcome.delta, outcome.last_text, banked=spent, unpriced_tokens=unpriced)
    progress = replace(progress, transfer=outcome.transfer or progress.transfer)
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
        asks=None
        if asks is None
        else ApprovalRequestSummary(mode=asks.mode, payload=asks.payload, digest=asks.digest, asked_s=asks.asked_s),
        delegates=outcome.delegates,
        transfer=outcome.transfer,
        later=outcome.later,
    )
