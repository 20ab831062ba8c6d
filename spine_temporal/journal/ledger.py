"""A run as its journal tells it."""

from dataclasses import dataclass, field, replace

from spine_core import Guards, Message, RunStatus, State, StopReason, ToolCall

from spine_temporal.contracts.ending import Ending
from spine_temporal.contracts.opening import AgentSpec, RunRequest
from spine_temporal.contracts.step import StepOutcome
from spine_temporal.contracts.tool import ToolOutcome
from spine_temporal.journal import delta, trace
from spine_temporal.journal.entries import (
    Closed,
    EndBegun,
    EndDone,
    Entry,
    Opened,
    Requested,
    StepBegun,
    StepDone,
    ToolBegun,
    ToolDone,
)
from spine_temporal.journal.progress import Progress, after_end, after_step, after_tool, concluded
from spine_temporal.journal.trace import Event


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known of a run. Never changed: `apply` makes the next one, and they share what did not change.

    `state` is what the kernel's own State would be at this point; treat it as read-only.
    """

    spec: AgentSpec = field(default_factory=lambda: AgentSpec(agent="", guards=Guards()))
    state: State = field(default_factory=lambda: State(session_id=""))
    progress: Progress = field(default_factory=Progress)
    calls: tuple[ToolCall, ...] = ()
    """The tool calls of the step in hand."""
    results: dict[int, ToolOutcome] = field(default_factory=dict)
    announced: frozenset[int] = frozenset()
    """Calls whose TOOL_CALL event has been told."""


def open_state(request: RunRequest, session_id: str, spec: AgentSpec) -> State:
    """The State a run begins with, as the kernel makes it."""
    state = State(session_id=session_id, tenant_id=spec.tenant_id)
    if spec.system:
        state.add_message(Message.system(spec.system))
    state.add_message(Message.user(request.input))
    return state


def apply(ledger: Ledger, entry: Entry) -> tuple[Ledger, list[Event]]:
    """The ledger after `entry`, with the trace events that the entry tells.

    Raises:
        ValueError: the entry does not fit what came before; the history is not that of a run, or not its beginning.
    """
    match entry:
        case Requested(request, session_id):
            return replace(ledger, state=open_state(request, session_id, ledger.spec)), []
        case Opened(request, session_id, spec):
            return replace(ledger, spec=spec, state=open_state(request, session_id, spec)), []
        case StepBegun(task):
            return ledger, [] if task.first else [trace.step_start(task.step)]
        case StepDone(outcome):
            return _step_done(ledger, outcome)
        case ToolBegun(task):
            return _tool_begun(ledger, task.index)
        case ToolDone(index, outcome):
            return _tool_done(ledger, index, outcome)
        case EndBegun(task):
            return conclude(ledger, task.ending)
        case EndDone(outcome):
            state = delta.apply(ledger.state, outcome.delta)
            told = [trace.hook_error(state, outcome.error)] if outcome.error else []
            return replace(ledger, state=state, progress=after_end(ledger.progress, outcome)), told
        case Closed(ending):
            return conclude(ledger, ending)


def conclude(ledger: Ledger, ending: Ending) -> tuple[Ledger, list[Event]]:
    """The ledger with that ending, unless a step, a tool or a hook has ended the run before."""
    if ledger.progress.ending is not None:
        return ledger, []
    return _told(replace(ledger, progress=concluded(ledger.progress, ending)))


def _told(ledger: Ledger) -> tuple[Ledger, list[Event]]:
    ending = ledger.progress.ending
    if ending is None:
        return ledger, []
    status = RunStatus.ERROR if ending.reason is StopReason.ERROR else RunStatus.DONE
    state = ledger.state.model_copy(update={"status": status})
    return replace(ledger, state=state), trace.ended(ending, state.step)


def _step_done(ledger: Ledger, outcome: StepOutcome) -> tuple[Ledger, list[Event]]:
    first = not ledger.progress.begun and "on_run_start" in ledger.spec.hooks
    state = delta.apply(ledger.state, outcome.delta, banked=outcome.usage)
    if outcome.answered and not state.messages:
        raise ValueError("the step has an answer, the conversation has no message")
    progress = after_step(ledger.progress, outcome, parallel=ledger.spec.parallel_tools)
    told = [trace.step_start(state.step)] if first and outcome.stepped else []
    told += trace.stepped(outcome, state)
    calls = tuple(state.messages[-1].tool_calls) if outcome.calls and outcome.answered else ()
    if len(calls) != len(outcome.calls):
        raise ValueError(f"the step plans {len(outcome.calls)} calls, the model's message has {len(calls)}")
    ledger = replace(ledger, state=state, progress=progress, calls=calls, results={}, announced=frozenset())
    ledger, last = _told(ledger)
    return ledger, told + last


def _tool_begun(ledger: Ledger, index: int) -> tuple[Ledger, list[Event]]:
    batch = ledger.progress.batch
    if index >= len(ledger.calls):
        raise ValueError(f"call {index} belongs to no call of this step")
    # A hook may still change the arguments or preset the result: then only the outcome knows.
    if batch is None or "before_tool" in ledger.spec.hooks or not batch.calls[index].known:
        return ledger, []
    call = ledger.calls[index]
    event = trace.tool_call(ledger.state.step, call.name, call.arguments)
    return replace(ledger, announced=ledger.announced | {index}), [event]


def _tool_done(ledger: Ledger, index: int, outcome: ToolOutcome) -> tuple[Ledger, list[Event]]:
    progress, entered = after_tool(ledger.progress, index, outcome)
    results = {**ledger.results, index: outcome}
    told = trace.tool_done(ledger.state.step, ledger.calls[index], outcome, announced=index in ledger.announced)
    state = ledger.state
    for position in entered:
        state = _with_result(state, ledger.calls[position], results[position])
    ended = progress.ending is not None and ledger.progress.ending is None
    ledger = replace(ledger, state=state, progress=progress, results=results)
    ledger, last = _told(ledger) if ended else (ledger, [])
    return ledger, told + last


def _with_result(state: State, call: ToolCall, outcome: ToolOutcome) -> State:
    state = delta.apply(state, outcome.delta)
    if outcome.ending is not None:
        return state
    message = Message.tool(outcome.content, call.id, call.name)
    return state.model_copy(update={"messages": [*state.messages, message]})
