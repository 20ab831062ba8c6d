"""What one more entry makes of a ledger."""

from dataclasses import replace

from spine_core import Message, RunStatus, State, StopReason
from spine_core.state import PendingApproval

from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.step import StepOutcome
from spine_temporal.contracts.turn import QueuedTurn, StatusRecord
from spine_temporal.journal import state_delta, trace
from spine_temporal.journal.calls import (
    DEFERRED,
    child_begun,
    child_done,
    child_told,
    decision_taken,
    tool_begun,
    tool_done,
)
from spine_temporal.journal.dangling_calls import answered
from spine_temporal.journal.entries import (
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
    TurnQueued,
)
from spine_temporal.journal.ledger import Ledger, moved_to, open_state
from spine_temporal.journal.progress import after_end, after_standing, after_step, concluded, moved
from spine_temporal.journal.trace import Event


def apply(ledger: Ledger, entry: Entry) -> tuple[Ledger, list[Event]]:
    """The ledger after `entry`, with the trace events that the entry tells.

    Raises:
        ValueError: the entry does not fit what came before; the history is not that of a run, or not its beginning.
    """
    match entry:
        case StepBegun(task):
            return ledger, [] if task.first else [trace.step_start(task.step)]
        case StepDone(outcome):
            return _step_done(ledger, outcome)
        case ToolBegun():
            return tool_begun(ledger, entry)
        case ToolDone() | SubagentDone():
            done, told = tool_done(ledger, entry) if isinstance(entry, ToolDone) else child_done(ledger, entry)
            return _ended_within(ledger, done, told)
        case EndBegun(task):
            return conclude(ledger, task.ending, at=task.at)
        case EndDone(outcome):
            state = state_delta.apply(ledger.state, outcome.delta)
            told = [trace.hook_error(state, outcome.error)] if outcome.error else []
            return replace(ledger, state=state, progress=after_end(ledger.progress, outcome)), told
        case Closed(ending, result_of):
            return conclude(replace(ledger, result_of=result_of), ending)
        case StatusChanged(standing):
            return _stood(ledger, standing)
        case _:
            return _noted(ledger, entry), []


def _noted(ledger: Ledger, entry: Entry) -> Ledger:
    match entry:
        case Requested() | Opened() | SpecRefreshed() | ConversationRestored():
            return _begun(ledger, entry)
        case TurnQueued(turn, input):
            if any(queued.turn == turn for queued in ledger.queue):
                return ledger
            return replace(ledger, queue=(*ledger.queue, QueuedTurn(turn=turn, input=input)))
        case Decided():
            return decision_taken(ledger, entry)
        case SubagentStarted():
            return child_begun(ledger, entry)
        case SubagentStatusChanged(told):
            return child_told(ledger, told)
    raise ValueError(f"a journal has no entry like {entry!r}")


def _begun(ledger: Ledger, entry: Requested | Opened | SpecRefreshed | ConversationRestored) -> Ledger:
    match entry:
        case ConversationRestored():
            return came_back(ledger, entry)
        case SpecRefreshed(spec):
            return moved_to(replace(ledger, spec=spec), spec.plugins)
        case Requested(request) if request.carried is not None and ledger.opened:
            # An execution that continues another one says nothing new.
            return ledger
        case Requested(request, session_id):
            spec = request.spec or ledger.spec
        case Opened(request, session_id, spec):
            progress = replace(ledger.progress, depth=request.depth)
            ledger = replace(ledger, progress=progress, plugins=spec.plugins, opened_with=spec.plugins, opened=True)
    state = open_state(request, session_id, spec)
    return replace(ledger, spec=spec, state=state, approval=request.approval, origin=request.origin, queue=())


def came_back(ledger: Ledger, entry: ConversationRestored) -> Ledger:
    """The ledger once the conversation came back as another execution had it."""
    before = entry.ledger
    if before is None:
        return replace(ledger, progress=moved(ledger.progress, entry.id))
    progress = moved(before.progress, entry.id)
    if entry.same:
        back = replace(before, progress=progress)
        for told in ledger.heard.values():
            back = child_told(back, told)
        return back
    progress = replace(progress, batch=None)
    said = ledger.state.messages[-1].content if _asked(ledger) else None
    turn = progress.turn + 1
    queue = (QueuedTurn(turn=turn, input=said),) if said is not None else ()
    state = before.state.model_copy(update={"session_id": ledger.state.session_id})
    return replace(
        without_batch(moved_to(before, ledger.plugins)),
        spec=ledger.spec,
        state=state,
        progress=progress,
        approval=ledger.approval,
        # A fork that is opened again is still one.
        origin=ledger.origin if ledger.origin and ledger.origin.step is not None else before.origin,
        queue=queue,
        opened=True,
    )


def _asked(ledger: Ledger) -> bool:
    return bool(ledger.state.messages) and ledger.state.messages[-1].role == "user"


def conclude(ledger: Ledger, ending: Ending, *, at: int | None = None) -> tuple[Ledger, list[Event]]:
    """The ledger with that ending, unless a step, a tool or a hook has ended the run before."""
    progress = ledger.progress
    if progress.ending is not None and (not progress.paused or ending.reason is StopReason.INTERRUPT):
        return ledger, []
    was_paused = progress.paused
    ledger = replace(ledger, progress=concluded(progress, ending))
    if ending.reason is StopReason.INTERRUPT:
        return _paused(ledger, at)
    if was_paused:
        ledger = replace(ledger, state=_unpaused(ledger.state, deferred=False))
    return _told(ledger)


def _stood(ledger: Ledger, standing: StatusRecord) -> tuple[Ledger, list[Event]]:
    if standing.number <= ledger.progress.standings:
        return ledger, []
    told: list[Event] = []
    if standing.status != "running":
        if standing.ending is not None:
            ledger, told = conclude(ledger, standing.ending, at=standing.at)
        return replace(ledger, progress=after_standing(ledger.progress, standing)), told
    begins = standing.turn > ledger.progress.turn
    ledger = replace(ledger, progress=after_standing(ledger.progress, standing), segment=ledger.segment + 1)
    if not begins:
        return replace(ledger, state=_unpaused(ledger.state, deferred=True)), []
    said = next((each.input for each in ledger.queue if each.turn == standing.turn), None)
    messages = answered(ledger.state.messages)
    if said is not None:
        messages = [*messages, Message.user(said)]
    state = _unpaused(ledger.state, deferred=False).model_copy(update={"messages": messages})
    queue = tuple(each for each in ledger.queue if each.turn > standing.turn)
    return without_batch(replace(ledger, state=state, queue=queue)), []


def without_batch(ledger: Ledger) -> Ledger:
    """The ledger without what it knows of a step's calls."""
    return replace(
        ledger,
        calls=(),
        outcomes={},
        asks={},
        asked_s={},
        announced=frozenset(),
        requests={},
        returned={},
        children={},
        heard={},
    )


def _unpaused(state: State, *, deferred: bool) -> State:
    scratch = state.scratch
    if not deferred and DEFERRED in scratch:
        scratch = {key: value for key, value in scratch.items() if key != DEFERRED}
    return state.model_copy(update={"pending": None, "status": RunStatus.RUNNING, "scratch": scratch})


def _paused(ledger: Ledger, at: int | None) -> tuple[Ledger, list[Event]]:
    batch, changed = ledger.progress.batch, {"status": RunStatus.INTERRUPTED}
    if at is None or batch is None or at >= len(ledger.calls):
        return replace(ledger, state=ledger.state.model_copy(update=changed)), []
    ask = ledger.asks.get(at)
    child = ledger.children.get(f"{ledger.state.step}.{at}")
    mode, payload = ("agent", child.interrupt if child else None) if ask is None else (ask.mode, ask.payload)
    pending = PendingApproval(call=ledger.calls[at], mode=mode, payload=payload)
    rest = [ledger.calls[index].model_dump() for index in range(at + 1, len(ledger.calls)) if index not in batch.done]
    scratch = ledger.state.scratch | ({DEFERRED: rest} if rest else {})
    state = ledger.state.model_copy(update={**changed, "pending": pending, "scratch": scratch})
    return replace(ledger, state=state), [trace.interrupt(state.step, mode, payload)]


def _told(ledger: Ledger) -> tuple[Ledger, list[Event]]:
    ending = ledger.progress.ending
    if ending is None:
        return ledger, []
    status = RunStatus.ERROR if ending.reason is StopReason.ERROR else RunStatus.DONE
    state = ledger.state.model_copy(update={"status": status})
    return replace(ledger, state=state), trace.ended(ending, state.step)


def _ended_within(before: Ledger, ledger: Ledger, told: list[Event]) -> tuple[Ledger, list[Event]]:
    if ledger.progress.ending is None or before.progress.ending is not None:
        return ledger, told
    ledger, last = _told(ledger)
    return ledger, told + last


def _step_done(ledger: Ledger, outcome: StepOutcome) -> tuple[Ledger, list[Event]]:
    first = not ledger.progress.begun and "on_run_start" in ledger.spec.hooks
    state = state_delta.apply(ledger.state, outcome.delta, banked=outcome.usage)
    if outcome.answered and not state.messages:
        raise ValueError("the step has an answer, the conversation has no message")
    progress = after_step(ledger.progress, outcome, parallel=ledger.spec.parallel_tools)
    told = [trace.step_start(state.step)] if first and outcome.stepped else []
    told += trace.stepped(outcome, state)
    calls = tuple(state.messages[-1].tool_calls) if outcome.calls and outcome.answered else ()
    if len(calls) != len(outcome.calls):
        raise ValueError(f"the step plans {len(outcome.calls)} calls, the model's message has {len(calls)}")
    ledger = replace(without_batch(ledger), state=state, progress=progress, calls=calls)
    ledger = moved_to(ledger, outcome.plugins)
    ledger, last = _told(ledger)
    return ledger, told + last
