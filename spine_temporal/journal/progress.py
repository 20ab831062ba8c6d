"""The one function that changes what is known of a run: `apply(progress, entry)`.

The workflow turns each fact into an entry and applies it here; whoever folds a history applies the same entries here.
There is no other transition, so there is nothing in which the two could differ.
"""

from spine_core import StopReason

from spine_temporal.contracts.approval import DecisionReceipt
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.run_request import AgentSpec
from spine_temporal.contracts.turn import QueuedTurn
from spine_temporal.journal import subagents
from spine_temporal.journal.counters import (
    Progress,
    advance,
    failure,
    may_end,
    with_conversation,
    with_delta,
    with_ending,
    with_receipt,
)
from spine_temporal.journal.entries import (
    ApprovalExpired,
    Closed,
    ContinuedAsNew,
    ConversationRestored,
    Decided,
    EndBegun,
    EndDone,
    EndReportRequested,
    Entry,
    Opened,
    Requested,
    SpecRefreshed,
    StatusChanged,
    StepBegun,
    StepDone,
    StopRequested,
    StreamRequested,
    SubagentDone,
    SubagentStarted,
    SubagentStatusChanged,
    ToolBegun,
    ToolDone,
    TurnQueued,
)
from spine_temporal.journal.replacing import replace
from spine_temporal.journal.snapshot import load_progress
from spine_temporal.journal.tool_calls import Call, CallDecision, Calls, NoTransition, Phase, begin, decide
from spine_temporal.journal.tool_results import call_at, with_outcome

__all__ = ["Progress", "apply"]


def apply(progress: Progress, entry: Entry) -> Progress:  # noqa: C901 - one line per kind of entry
    """What `entry` makes of `progress`, which is left as it was.

    An entry that comes too late to change anything (a decision on a call that has expired, a second report of a
    subagent's end) still moves the revision: it happened.

    Raises:
        ValueError: the entry does not fit what came before; the history is not that of a run, or not its beginning.
    """
    match entry:
        case Requested():
            return _requested(entry)
        case StepBegun() | ContinuedAsNew():
            return progress
        case ToolBegun(task):
            return _tool_begun(progress, task.step, task.index)
        case Closed(ending):
            return with_ending(progress, ending) if may_end(progress, ending) else progress
    moved = replace(progress, revision=advance(progress.revision, entry.id))
    match entry:
        case Opened():
            return _opened(moved, entry)
        case SpecRefreshed(_, spec):
            return replace(moved, spec=_without_system(spec))
        case ConversationRestored():
            return _restored(moved, entry)
        case TurnQueued():
            return _turn_queued(moved, entry)
        case Decided():
            return _decided(moved, entry)
        case ApprovalExpired():
            return _expired(moved, entry)
        case StopRequested(_, turn):
            return _stop_requested(moved, turn)
        case StreamRequested(_, every_s):
            return replace(moved, tokens_every_s=every_s)
        case EndReportRequested():
            return replace(moved, report_end=True)
        case StatusChanged():
            return _status_changed(moved, entry)
        case StepDone():
            return _step_done(moved, entry)
        case ToolDone():
            return _tool_done(moved, entry)
        case SubagentStarted(position, workflow_id):
            return subagents.started(moved, position, workflow_id)
        case SubagentStatusChanged(_, status):
            return subagents.status_changed(moved, status)
        case SubagentDone(position, outcome):
            return subagents.done(moved, position, outcome)
        case EndBegun():
            return with_ending(moved, entry.task.ending) if may_end(moved, entry.task.ending) else moved
        case EndDone():
            return _end_done(moved, entry)


def _requested(entry: Requested) -> Progress:
    request = entry.request
    if request.carried is not None:
        return load_progress(request.carried.progress)
    return Progress(
        depth=request.depth,
        approval=request.approval,
        stop_requested=request.stop,
        tokens_every_s=request.tokens_every_s,
        trace=request.trace,
    )


def _opened(progress: Progress, entry: Opened) -> Progress:
    spec = _without_system(entry.spec)
    known = replace(progress, spec=spec, tenant_id=spec.tenant_id, working_since_s=entry.at_s)
    # The number of the turn is known with the conversation.
    opened = known if entry.restoring else _begun(known)
    team = entry.spec.team
    if team is None:
        return opened
    return subagents.with_first_member(replace(opened, team_input=entry.input), team)


def _begun(progress: Progress) -> Progress:
    stop = progress.stop_requested or progress.turn in progress.stopped_turns
    return replace(progress, opened=True, stop_requested=stop)


def _without_system(spec: AgentSpec) -> AgentSpec:
    return spec.model_copy(update={"system": None})


def _restored(progress: Progress, entry: ConversationRestored) -> Progress:
    before = entry.progress
    if before is None:
        return progress if progress.opened else _begun(progress)
    if entry.same:
        # What is large was left with the conversation; an answer that came since, with a member's end, stays.
        answer = before.answer if progress.answer is None else progress.answer
        return replace(progress, last_text=before.last_text, answer=answer)
    return with_conversation(progress, before)


def _turn_queued(progress: Progress, entry: TurnQueued) -> Progress:
    turn = entry.receipt.turn
    one = QueuedTurn(turn=turn, input=entry.input, tokens_every_s=entry.tokens_every_s, trace=entry.trace)
    queued = (*progress.queue, one)
    kept = with_receipt(progress, entry.update_id, entry.receipt)
    # An idle session that was asked to close stays open for a turn that it has accepted after that.
    stop = progress.stop_requested and progress.status != "idle"
    return replace(kept, last_turn=max(progress.last_turn, turn), queue=queued, stop_requested=stop)


def _decided(progress: Progress, entry: Decided) -> Progress:
    receipt = entry.receipt
    kept = with_receipt(progress, entry.update_id, receipt)
    found = call_at(progress, Position.parse(receipt.position))
    if found is None:
        return kept
    calls, index, call = found.calls, found.index, found.call
    decision = CallDecision(entry.id, receipt.approved, receipt.digest)
    try:
        decided = decide(call, decision, _settled(call, receipt, entry.decided_by))
    except NoTransition:
        return kept
    return replace(kept, calls=calls.with_call(index, decided))


def _settled(call: Call, receipt: DecisionReceipt, decided_by: str | None) -> str:
    manual = call.ask is not None and call.ask.mode == "manual"
    settled = "answered" if manual else "approved" if receipt.approved else "rejected"
    return f"{settled} by {decided_by}" if decided_by else settled


def _expired(progress: Progress, entry: ApprovalExpired) -> Progress:
    record = entry.record
    found = call_at(progress, Position.parse(record.position))
    if found is None:
        return progress
    calls, index, call = found.calls, found.index, found.call
    digest = call.ask.digest if call.ask is not None else ""
    decision = CallDecision(entry.id, record.approved, digest, expired_after_s=record.timeout_s)
    try:
        expired = decide(call, decision, f"left without a decision for {record.timeout_s:g} s")
    except NoTransition:
        return progress
    if record.error is not None:
        progress = replace(progress, failed=failure(record.error))
    return replace(progress, calls=calls.with_call(index, expired))


def _stop_requested(progress: Progress, turn: int | None) -> Progress:
    if turn is not None and turn == progress.turn and progress.status == "idle" and progress.queue:
        # It is over, and the session is at the next one already.
        return progress
    if turn is None or (progress.opened and turn == progress.turn):
        return replace(progress, stop_requested=True)
    # After a reset, the signal may come again before the turn does.
    ahead = turn > progress.last_turn or any(queued.turn == turn for queued in progress.queue)
    if not progress.opened or ahead:
        return replace(progress, stopped_turns=(*progress.stopped_turns, turn))
    return progress


def _status_changed(progress: Progress, entry: StatusChanged) -> Progress:
    record = entry.record
    changed = replace(
        progress, status=record.status, status_number=record.number, worked_s=record.worked_s, working_since_s=None
    )
    if record.status != "running":
        if record.ending is not None and may_end(changed, record.ending):
            changed = with_ending(changed, record.ending)
        if record.status == "paused":
            return changed
        return replace(changed, idle_since_s=record.at_s, stop_requested=False, failed=None)
    changed = replace(
        changed, ending=None, answer=None, hooks_started=False, working_since_s=record.at_s, idle_since_s=None
    )
    changed = replace(changed, segment_from=changed.spent)
    return changed if record.turn <= progress.turn else _turn_begun(changed, record.turn)


def _turn_begun(progress: Progress, turn: int) -> Progress:
    # The first turn of an execution is in no queue.
    begun: QueuedTurn | Progress = next((each for each in progress.queue if each.turn == turn), progress)
    return replace(
        progress,
        turn=turn,
        last_turn=max(progress.last_turn, turn),
        tokens_every_s=begun.tokens_every_s,
        trace=begun.trace,
        queue=tuple(each for each in progress.queue if each.turn > turn),
        stop_requested=progress.stop_requested or turn in progress.stopped_turns,
        stopped_turns=tuple(each for each in progress.stopped_turns if each > turn),
        calls=None,
        transfer=None,
        failed=None,
    )


def _step_done(progress: Progress, entry: StepDone) -> Progress:
    outcome, calls = entry.outcome, None
    banked, unpriced = outcome.usage, outcome.unpriced_tokens
    done = with_delta(
        progress, outcome.delta, outcome.last_text, banked=banked, unpriced_tokens=unpriced, stepped=outcome.stepped
    )
    if outcome.calls and outcome.ending is None:
        parallel = progress.spec is not None and progress.spec.parallel_tools
        calls = Calls(done.step, tuple(map(Call, outcome.calls)), parallel=parallel)
    done = replace(done, hooks_started=True, calls=calls)
    if outcome.ending is None:
        return done
    messages = outcome.delta.messages
    return with_ending(done, outcome.ending, last_message=messages[-1].content if messages else None)


def _tool_begun(progress: Progress, step: int, index: int) -> Progress:
    found = call_at(progress, Position(step, index))
    if found is None:
        raise ValueError(f"call {step}.{index} belongs to no step in hand")
    calls, at, call = found.calls, found.index, found.call
    return replace(progress, calls=calls.with_call(at, begin(call)))


def _tool_done(progress: Progress, entry: ToolDone) -> Progress:
    found = call_at(progress, Position(entry.step, entry.index))
    if found is None:
        raise ValueError(f"the result of call {entry.step}.{entry.index} belongs to no step in hand")
    if entry.local and found.call.phase is Phase.PLANNED:
        progress = _tool_begun(progress, entry.step, entry.index)
    if not progress.hooks_started:
        progress = replace(progress, hooks_started=True)
    return with_outcome(progress, entry.index, entry.outcome)


def _end_done(progress: Progress, entry: EndDone) -> Progress:
    outcome = entry.outcome
    done = replace(with_delta(progress, outcome.delta, None), hooks_started=True)
    if outcome.ending is None:
        return done
    if done.paused and outcome.ending.reason is StopReason.INTERRUPT:
        return replace(done, answer=outcome.ending.answer)
    return with_ending(done, outcome.ending)
