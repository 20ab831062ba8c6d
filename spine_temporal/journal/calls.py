"""What becomes of a step's tool calls: in the ledger."""

from dataclasses import replace
from typing import Final

from spine_core import Message, State, ToolCall

from spine_temporal.contracts.approval import DecideRequest, DecisionReceipt
from spine_temporal.contracts.run_end import RunOutcome
from spine_temporal.contracts.subagent import SubagentOutcome, SubagentStatus
from spine_temporal.contracts.tool_call import AFTER_CHILD, AFTER_EXPIRY, ToolOutcome
from spine_temporal.journal import state_delta, trace
from spine_temporal.journal.batch import Batch, Verdict, with_one_more
from spine_temporal.journal.entries import Decided, SubagentDone, SubagentStarted, ToolBegun, ToolDone
from spine_temporal.journal.ledger import Child, DecisionRecord, Ledger, moved_to
from spine_temporal.journal.progress import Progress, after_tool, after_tool_begun
from spine_temporal.journal.trace import Event

DEFERRED: Final = "deferred_calls"
"""Where the kernel keeps the calls behind the one it is paused at, in `State.scratch`."""


def position_of(position: str) -> tuple[int, int]:
    """Step and index of a call; (0, 0) for what is no position of a step."""
    step, _, index = position.partition(".")
    return (int(step), int(index)) if step.isdecimal() and index.isdecimal() else (0, 0)


def tool_begun(ledger: Ledger, entry: ToolBegun) -> tuple[Ledger, list[Event]]:
    """A tool call was scheduled."""
    task, index = entry.task, entry.task.index
    batch = ledger.progress.batch
    if index >= len(ledger.calls):
        raise ValueError(f"call {index} belongs to no call of this step")
    ledger = replace(ledger, progress=after_tool_begun(ledger.progress, task))
    if task.after is not None:
        if task.after == AFTER_EXPIRY:
            ledger = replace(ledger, decisions=(*ledger.decisions, _expired(ledger, entry)))
        return ledger, []
    # A hook may still change the arguments or preset the result: then only the outcome knows. A gated call asks first.
    call = ledger.calls[index]
    if (
        batch is None
        or "before_tool" in ledger.spec.hooks
        or not batch.calls[index].known
        or batch.calls[index].approve
    ):
        return ledger, []
    event = trace.tool_call(ledger.state.step, call.name, call.arguments)
    return replace(ledger, announced=ledger.announced | {index}), [event]


def tool_done(ledger: Ledger, entry: ToolDone) -> tuple[Ledger, list[Event]]:
    """A tool call has an outcome."""
    index, outcome = entry.index, entry.outcome
    if any(each.id == outcome.id for each in ledger.outcomes.get(index, ())):
        # A ledger that is brought up to date may be told again what it knows.
        return ledger, []
    ledger = moved_to(ledger, outcome.plugins)
    progress, entered = after_tool(ledger.progress, index, outcome)
    told = trace.tool_done(ledger.state.step, ledger.calls[index], outcome, announced=index in ledger.announced)
    ledger = replace(
        ledger,
        progress=progress,
        outcomes={**ledger.outcomes, index: with_one_more(ledger.outcomes.get(index, ()), outcome)},
        announced=ledger.announced | {index} if outcome.called else ledger.announced,
    )
    if outcome.asks is not None:
        asks, asked_s = {**ledger.asks, index: outcome.asks}, {**ledger.asked_s, index: entry.at_s}
        ledger = replace(ledger, asks=asks, asked_s=asked_s)
    return _with_entered(ledger, entered), told


def child_begun(ledger: Ledger, entry: SubagentStarted) -> Ledger:
    """Another agent was given a call."""
    child = Child(entry.position, entry.workflow_id, entry.agent, entry.input)
    return replace(ledger, children={**ledger.children, entry.position: child})


def child_told(ledger: Ledger, told: SubagentStatus) -> Ledger:
    """A child paused, or goes on."""
    before = ledger.heard.get(told.position)
    if before is None or before.number < told.number:
        ledger = replace(ledger, heard={**ledger.heard, told.position: told})
    child = ledger.children.get(told.position)
    if child is None or child.number >= told.number:
        return ledger
    child = replace(child, status=told.status, number=told.number, interrupt=told.interrupt)
    return replace(
        ledger,
        progress=after_child_told(ledger.progress, told),
        children={**ledger.children, told.position: child},
    )


def after_child_told(progress: Progress, told: SubagentStatus) -> Progress:
    """Where the run is once a child paused, or goes on."""
    step, index = position_of(told.position)
    if progress.batch is None or step != progress.step:
        return progress
    return progress.with_batch(progress.batch.with_standing(index, told.number, paused=told.status == "paused"))


def child_done(ledger: Ledger, entry: SubagentDone) -> tuple[Ledger, list[Event]]:
    """A child is over."""
    child = ledger.children.get(entry.position)
    if child is not None:
        over = replace(child, status="idle", over=True)
        ledger = replace(ledger, children={**ledger.children, entry.position: over})
    step, index = position_of(entry.position)
    batch = ledger.progress.batch
    if batch is None or step != ledger.progress.step or index not in batch.children:
        return ledger, []
    if returns_to_hook(ledger.progress, index):
        returned = {**ledger.returned, index: entry.outcome}
        return replace(ledger, returned=returned, progress=with_returned(ledger.progress, index, entry.outcome)), []
    outcome = delegated(ledger.progress, index, entry.outcome)
    return tool_done(ledger, ToolDone(index, outcome))


def outcome_of(outcome: RunOutcome) -> SubagentOutcome:
    """What a parent keeps of a child's outcome."""
    return SubagentOutcome(
        answer=outcome.answer,
        reason=outcome.reason.value,
        error=outcome.error,
        usage=outcome.usage,
        transfer=outcome.transfer,
    )


def returns_to_hook(progress: Progress, index: int) -> bool:
    """Whether a hook has to see what the agent that works on this call gives back."""
    child = progress.batch.children.get(index) if progress.batch else None
    return child is not None and child.delegates is not None and child.delegates.hooked


def with_returned(progress: Progress, index: int, outcome: SubagentOutcome) -> Progress:
    """Where the run is once a child gave something back that a hook has yet to see."""
    if progress.batch is None:
        return progress
    returned = {**progress.batch.returned, index: outcome}
    return progress.with_batch(replace(progress.batch, returned=returned))


def delegated(progress: Progress, index: int, outcome: SubagentOutcome) -> ToolOutcome:
    """The outcome of a call that another agent did."""
    name = progress.batch.calls[index].name if progress.batch else ""
    content = child_content(name, outcome)
    return ToolOutcome(id=f"{progress.step}.{index} {AFTER_CHILD}", content=content, called=True, spent=outcome.usage)


def child_content(name: str, outcome: SubagentOutcome) -> str:
    """What the model is told of a child's end, in the kernel's words."""
    if outcome.reason:
        return outcome.answer or f"[sub-agent stopped: {outcome.reason}]"
    return f"Error executing tool '{name}': {outcome.error}"


def decision_taken(ledger: Ledger, entry: Decided) -> Ledger:
    """A person decided."""
    decided, batch = entry.decided, ledger.progress.batch
    step, index = position_of(decided.position)
    if batch is None or step != ledger.progress.step or index >= len(batch.calls) or entry.id in ledger.requests:
        return ledger
    verdict = Verdict(entry.id, decided.approved, decided.digest)
    settled = settled_as(batch, index, decided, entry.request)
    made = _made(entry, settled)
    return replace(
        ledger,
        progress=ledger.progress.with_batch(batch.with_verdict(index, verdict, settled)),
        requests={**ledger.requests, entry.id: entry.request},
        decisions=(*ledger.decisions, made),
    )


def settled_as(batch: Batch, index: int, decided: DecisionReceipt, request: DecideRequest) -> str:
    """What was decided, for whoever comes late: "approved by anna"."""
    ask = batch.asks.get(index)
    manual = ask is not None and ask.asks is not None and ask.asks.mode == "manual"
    verdict = "answered" if manual else "approved" if decided.approved else "rejected"
    by = request.decision.decided_by if request.decision else None
    return f"{verdict} by {by}" if by else verdict


def _made(entry: Decided, settled: str) -> DecisionRecord:
    decided, decision = entry.decided, entry.request.decision
    return DecisionRecord(
        position=decided.position,
        call_id=decided.call_id,
        tool=decided.tool,
        verdict=settled.partition(" ")[0],
        at_s=entry.at_s,
        decided_by=decision.decided_by if decision else None,
        reason=decision.reason if decision else None,
        edited=decision is not None and decision.arguments is not None,
    )


def _expired(ledger: Ledger, entry: ToolBegun) -> DecisionRecord:
    task = entry.task
    call, expiry = ledger.calls[task.index], task.expiry
    reason = f"nobody decided within {expiry.timeout_s:g} s" if expiry else None
    return DecisionRecord(f"{task.step}.{task.index}", call.id, call.name, "expired", entry.at_s, reason=reason)


def _with_entered(ledger: Ledger, entered: list[int]) -> Ledger:
    state, outcomes = ledger.state, dict(ledger.outcomes)
    held = ledger.progress.batch.held if ledger.progress.batch else frozenset()
    for index in entered:
        for outcome in outcomes.pop(index, ()):
            state = _with_outcome(state, ledger.calls[index], outcome, held=index in held)
    return replace(ledger, state=state, outcomes=outcomes)


def _with_outcome(state: State, call: ToolCall, outcome: ToolOutcome, *, held: bool) -> State:
    spent = outcome.spent if outcome.spent.total_tokens or outcome.spent.cost_usd else None
    state = state_delta.apply(state, outcome.delta, banked=spent)
    if outcome.ending is not None or outcome.asks is not None or outcome.delegates is not None:
        return state
    message = Message.tool(outcome.content, call.id, call.name)
    scratch = state.scratch
    if held and DEFERRED in scratch:
        # The kernel takes the calls up again once it has the result of the one it was paused at.
        scratch = {key: value for key, value in scratch.items() if key != DEFERRED}
    return state.model_copy(update={"messages": [*state.messages, message], "scratch": scratch})
