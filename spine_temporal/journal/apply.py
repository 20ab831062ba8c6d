"""What one more entry makes of a ledger: progress by the one reducer, texts, trace."""

from spine_core import Message, RunStatus, State, StopReason
from spine_core.state import PendingApproval

from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.step import StepOutcome
from spine_temporal.journal import progress as reducer
from spine_temporal.journal import state_delta, trace
from spine_temporal.journal.call_texts import DEFERRED, decided, expired, subagent_ended, tool_begun, tool_done
from spine_temporal.journal.counters import may_end
from spine_temporal.journal.dangling_calls import close_dangling_calls
from spine_temporal.journal.entries import (
    ApprovalExpired,
    Closed,
    ConversationRestored,
    Decided,
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    SpecRefreshed,
    StatusChanged,
    StepBegun,
    StepDone,
    SubagentDone,
    SubagentStarted,
    SubagentStatusChanged,
    ToolBegun,
    ToolDone,
)
from spine_temporal.journal.ledger import CallContent, Ledger, Member, open_state, with_versions
from spine_temporal.journal.replacing import copied, replace
from spine_temporal.journal.trace import Event

type Applied = tuple[Ledger, list[Event]]


def apply(ledger: Ledger, entry: Entry) -> Applied:  # noqa: C901 - one line per kind of entry
    """The ledger after `entry`, with the trace events of the entry.

    Raises:
        ValueError: the entry does not fit what came before; the history is not that of a run, or not its beginning.
    """
    progress = reducer.apply(ledger.progress, entry)
    after = replace(ledger, progress=progress) if progress is not ledger.progress else ledger
    if ledger.early is not None and not isinstance(entry, ConversationRestored):
        # Its texts belong to a conversation that is still to come.
        return replace(after, early=(*ledger.early, entry)), []
    match entry:
        case Requested():
            return _requested(ledger, after, entry), []
        case Opened():
            return _opened(after, entry), []
        case SpecRefreshed(_, spec):
            return with_versions(after, spec.plugins), []
        case ConversationRestored():
            return _restored(ledger, after, entry)
        case Decided():
            return decided(after, entry), []
        case ApprovalExpired():
            return expired(after, entry), []
        case StatusChanged():
            return _status_changed(ledger, after, entry)
        case StepBegun(task):
            return after, [] if task.first else [trace.step_start(task.step)]
        case StepDone():
            return _step_done(ledger, after, entry)
        case ToolBegun():
            return tool_begun(ledger, after, entry)
        case ToolDone():
            return _ended_within(ledger, *tool_done(ledger, after, entry))
        case SubagentStarted():
            return _subagent_started(after, entry), []
        case SubagentDone(position, outcome):
            return _ended_within(ledger, *subagent_ended(ledger, after, position, outcome))
        case SubagentStatusChanged(_, status) if status.outcome is not None:
            at = Position.parse(status.position)
            return _ended_within(ledger, *subagent_ended(ledger, after, at, status.outcome))
        case EndBegun(task):
            return _concluded(ledger, after, task.ending, task.at)
        case EndDone(outcome):
            state = state_delta.apply(after.state, outcome.delta)
            return replace(after, state=state), [trace.hook_error(state, outcome.error)] if outcome.error else []
        case Closed(ending, result_of):
            return _concluded(ledger, replace(after, result_of=result_of), ending, None)
    return after, []


def _requested(before: Ledger, after: Ledger, entry: Requested) -> Ledger:
    request = entry.request
    if request.carried is not None and before.agent:
        # An execution that continues another one says nothing new, and leaves large texts where they are.
        known = before.progress
        return replace(after, progress=replace(after.progress, last_text=known.last_text, answer=known.answer))
    return replace(
        after,
        agent=request.agent,
        session_id=entry.session_id,
        chain=entry.chain,
        state=open_state(request, entry.session_id),
        origin=request.origin,
        restored=request.origin is None,
        early=() if request.carried is not None else None,
    )


def _opened(ledger: Ledger, entry: Opened) -> Ledger:
    spec, state = entry.spec, ledger.state
    system = [Message.system(spec.system)] if spec.system else []
    state = copied(state, tenant_id=spec.tenant_id, messages=[*system, *state.messages])
    opened = replace(ledger, state=state, plugins=spec.plugins, opened_with=spec.plugins)
    return _with_member(opened)


def _restored(waiting: Ledger, ledger: Ledger, entry: ConversationRestored) -> Applied:
    before = entry.ledger
    if before is None or (entry.same and waiting.early is None):
        # Who has read the executions before this one has it already.
        return replace(ledger, restored=True, early=None), []
    if entry.same:
        events: list[Event] = []
        for early in waiting.early or ():
            before, made = apply(before, early)
            events += made
        return replace(before, progress=ledger.progress, restored=True), events
    return _reopened(ledger, before), []


def _reopened(ledger: Ledger, before: Ledger) -> Ledger:
    texts = [message for message in ledger.state.messages if message.role == "user"]
    messages = close_dangling_calls(before)
    state = copied(before.state, session_id=ledger.session_id, messages=messages)
    # The user's input is the turn that the workflow begins next.
    return replace(
        with_versions(before, ledger.plugins),
        progress=ledger.progress,
        agent=ledger.agent,
        session_id=ledger.session_id,
        chain=ledger.chain,
        state=state,
        calls=(),
        requests={},
        # A fork that is opened again is still one.
        origin=ledger.origin if ledger.origin and ledger.origin.step is not None else before.origin,
        restored=True,
        first_input=texts[-1].content if texts else None,
    )


def _status_changed(before: Ledger, after: Ledger, entry: StatusChanged) -> Applied:
    record = entry.record
    if record.status != "running":
        return _concluded(before, after, record.ending, record.at) if record.ending is not None else (after, [])
    after = replace(after, segment=before.segment + 1)
    if record.turn <= before.progress.turn:
        return replace(after, state=_unpaused(after.state, deferred=True)), []
    input_ = next((each.input for each in before.progress.queue if each.turn == record.turn), before.first_input)
    messages = close_dangling_calls(before)
    if input_ is not None:
        messages = [*messages, Message.user(input_)]
    state = copied(_unpaused(after.state, deferred=False), messages=messages)
    return replace(after, state=state, calls=(), requests={}, first_input=None), []


def _step_done(before: Ledger, after: Ledger, entry: StepDone) -> Applied:
    outcome = entry.outcome
    if not isinstance(outcome, StepOutcome):
        raise TypeError("a ledger is made of outcomes in full, this is a summary")
    spec = before.progress.spec
    first = not before.progress.hooks_started and spec is not None and "on_run_start" in spec.hooks
    state = state_delta.apply(before.state, outcome.delta, banked=outcome.usage, stepped=outcome.stepped)
    if outcome.answered and not state.messages:
        raise ValueError("the step has an answer, the conversation has no message")
    events = [trace.step_start(state.step)] if first and outcome.stepped else []
    events += trace.stepped(outcome, state)
    calls = state.messages[-1].tool_calls if outcome.calls and outcome.answered else []
    if len(calls) != len(outcome.calls):
        raise ValueError(f"the step plans {len(outcome.calls)} calls, the model's message has {len(calls)}")
    after = replace(after, state=state, calls=tuple(CallContent(call) for call in calls), requests={})
    after, last = _with_final_status(with_versions(after, outcome.plugins))
    return after, events + last


def _subagent_started(ledger: Ledger, entry: SubagentStarted) -> Ledger:
    members = tuple(
        replace(member, workflow_id=entry.workflow_id) if member.number == entry.position.step else member
        for member in ledger.members
    )
    return replace(ledger, members=members)


def _concluded(before: Ledger, after: Ledger, ending: Ending, at: int | None) -> Applied:
    if not may_end(before.progress, ending):
        return after, []
    if ending.reason is StopReason.INTERRUPT:
        return _paused(after, at)
    if before.progress.paused:
        after = replace(after, state=_unpaused(after.state, deferred=False))
    return _with_final_status(after)


def _paused(ledger: Ledger, at: int | None) -> Applied:
    calls, changed = ledger.progress.calls, {"status": RunStatus.INTERRUPTED}
    if at is None or calls is None or at >= len(ledger.calls):
        return replace(ledger, state=copied(ledger.state, **changed)), []
    request, subagent = ledger.calls[at].request, calls.items[at].subagent
    mode, payload = ("agent", subagent.interrupt) if subagent is not None else ("approve", None)
    if request is not None and subagent is None:
        mode, payload = request.mode, request.payload
    pending = PendingApproval(call=ledger.calls[at].call, mode=mode, payload=payload)
    rest = [
        ledger.calls[index].call.model_dump()
        for index in range(at + 1, len(ledger.calls))
        if not calls.items[index].finished
    ]
    scratch = ledger.state.scratch | ({DEFERRED: rest} if rest else {})
    state = copied(ledger.state, **changed, pending=pending, scratch=scratch)
    return replace(ledger, state=state), [trace.interrupt(state.step, mode, payload)]


def _unpaused(state: State, *, deferred: bool) -> State:
    scratch = state.scratch
    if not deferred and DEFERRED in scratch:
        scratch = {key: value for key, value in scratch.items() if key != DEFERRED}
    return copied(state, pending=None, status=RunStatus.RUNNING, scratch=scratch)


def _with_final_status(ledger: Ledger) -> Applied:
    ending = ledger.progress.ending
    if ending is None:
        return ledger, []
    status = RunStatus.ERROR if ending.reason is StopReason.ERROR else RunStatus.DONE
    state = copied(ledger.state, status=status)
    return replace(ledger, state=state), trace.ended(ending, state.step)


def _ended_within(before: Ledger, after: Ledger, events: list[Event]) -> Applied:
    after = _with_member(after)
    if after.progress.ending is None or before.progress.ending is not None or after.progress.spec is None:
        return after, events
    if after.progress.spec.team is not None:
        # The trace of its last member has its end.
        return after, events
    after, last = _with_final_status(after)
    return after, events + last


def _with_member(ledger: Ledger) -> Ledger:
    spec, calls = ledger.progress.spec, ledger.progress.calls
    if spec is None or spec.team is None or calls is None or calls.step <= len(ledger.members):
        return ledger
    subagent = calls.items[0].subagent
    agent = subagent.delegation.agent if subagent is not None else ""
    return replace(ledger, members=(*ledger.members, Member(calls.step, agent)))
