"""A run as its journal tells it."""

from dataclasses import dataclass, field, replace
from typing import Final

from spine_core import Guards, Message, State, ToolCall

from spine_temporal.contracts.approval import ApprovalPolicy, ApprovalRequest, DecideRequest
from spine_temporal.contracts.continuation import RestorePoint
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.subagent import SubagentOutcome, SubagentStatus
from spine_temporal.contracts.tool_call import ToolOutcome
from spine_temporal.contracts.turn import QueuedTurn, Status
from spine_temporal.journal.progress import Progress

_MOST_MOVES: Final = 50


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision, for whoever asks later who made it."""

    position: str
    call_id: str
    tool: str
    verdict: str
    """approved, rejected; answered, when the tool had asked by itself; expired, when nobody decided."""
    at_s: float
    decided_by: str | None = None
    reason: str | None = None
    edited: bool = False


@dataclass(frozen=True, slots=True)
class VersionChange:
    """From a step on, the agent was made of other versions of its distributions."""

    step: int
    plugins: dict[str, str]
    """All of them, by distribution."""


@dataclass(frozen=True, slots=True)
class Child:
    """The workflow of another agent that works on a call."""

    position: str
    workflow_id: str
    agent: str
    input: str = ""
    status: Status = "running"
    number: int = 0
    interrupt: object = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known of a run. Never changed: `apply` makes the next one, and they share what did not change.

    `state` is what the kernel's own State would be at this point; treat it as read-only. Each field has a default, and
    keeps it: this is also the form in which a conversation comes to the execution that goes on with it.
    """

    spec: AgentSpec = field(default_factory=lambda: AgentSpec(agent="", guards=Guards()))
    state: State = field(default_factory=lambda: State(session_id=""))
    progress: Progress = field(default_factory=Progress)
    approval: ApprovalPolicy | None = None
    """For calls whose tool has no policy of its own."""
    calls: tuple[ToolCall, ...] = ()
    """The tool calls of the step in hand."""
    outcomes: dict[int, tuple[ToolOutcome, ...]] = field(default_factory=dict)
    """What came of them and has not entered the State yet."""
    asks: dict[int, ApprovalRequest] = field(default_factory=dict)
    asked_s: dict[int, float] = field(default_factory=dict)
    announced: frozenset[int] = frozenset()
    """Calls whose TOOL_CALL event has been told."""
    requests: dict[str, DecideRequest] = field(default_factory=dict)
    """Decisions on the calls of the step in hand, by the ids of the updates that brought them."""
    decisions: tuple[DecisionRecord, ...] = ()
    returned: dict[int, SubagentOutcome] = field(default_factory=dict)
    """What other agents gave back for calls of the step in hand."""
    children: dict[str, Child] = field(default_factory=dict)
    """By position; of a team, all; else those of the step in hand."""
    heard: dict[str, SubagentStatus] = field(default_factory=dict)
    """The last word of each of them, also of one that spoke before the conversation had come back."""
    queue: tuple[QueuedTurn, ...] = ()
    """Turns that were accepted and have not begun."""
    segment: int = 0
    """Counts what the kernel would tell in one Result: from a turn's beginning, or a pause's end, to the next stop."""
    origin: RestorePoint | None = None
    """Where a fork began."""
    plugins: dict[str, str] = field(default_factory=dict)
    """The versions of the distributions that the agent is made of, as far as the run knows."""
    opened_with: dict[str, str] = field(default_factory=dict)
    """Those that it had when the conversation began."""
    moves: tuple[VersionChange, ...] = ()
    opened: bool = False
    result_of: str | None = None


def moved_to(ledger: Ledger, plugins: dict[str, str] | None) -> Ledger:
    """The ledger of a run whose agent is made of these versions by now; None or empty: nobody said."""
    if not plugins or plugins == ledger.plugins:
        return ledger
    # Two versions that work side by side for long would have it grow with every step.
    moves = (*ledger.moves, VersionChange(ledger.state.step, plugins))[-_MOST_MOVES:]
    return replace(ledger, plugins=plugins, moves=moves)


def open_state(request: RunRequest, session_id: str, spec: AgentSpec) -> State:
    """The State a run begins with, as the kernel makes it."""
    state = State(session_id=session_id, tenant_id=spec.tenant_id, depth=request.depth)
    if spec.system:
        state.add_message(Message.system(spec.system))
    if request.input is not None:
        state.add_message(Message.user(request.input))
    return state
