"""The entries of a run's journal, in the order of its history."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spine_temporal.contracts.approval import DecideRequest, DecisionReceipt
from spine_temporal.contracts.run_end import Ending, EndInput, EndOutcome
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.step import StepInput, StepOutcome
from spine_temporal.contracts.subagent import SubagentOutcome, SubagentStatus
from spine_temporal.contracts.tool_call import ToolInput, ToolOutcome
from spine_temporal.contracts.turn import StatusRecord

if TYPE_CHECKING:
    from spine_temporal.journal.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Requested:
    """A client started the run, or an execution before this one; no worker has seen it yet."""

    request: RunRequest
    session_id: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A worker answered what the agent is; the conversation begins."""

    request: RunRequest
    session_id: str
    spec: AgentSpec


@dataclass(frozen=True, slots=True)
class SpecRefreshed:
    """A worker answered what the agent is by now."""

    spec: AgentSpec


@dataclass(frozen=True, slots=True)
class ConversationRestored:
    """The conversation as another execution, or a checkpoint, had it; None: there was none."""

    id: str
    ledger: "Ledger | None"
    same: bool = False
    """Nothing but the execution changed."""


@dataclass(frozen=True, slots=True)
class TurnQueued:
    """The user said more."""

    turn: int
    input: str


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The workflow said where the run stands: a turn begins, pauses, goes on, ends."""

    standing: StatusRecord


@dataclass(frozen=True, slots=True)
class StepBegun:
    """A step was scheduled."""

    task: StepInput


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step has its outcome."""

    outcome: StepOutcome


@dataclass(frozen=True, slots=True)
class ToolBegun:
    """A tool call was scheduled."""

    task: ToolInput
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ToolDone:
    """A tool call has an outcome."""

    index: int
    outcome: ToolOutcome
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Decided:
    """A person decided."""

    id: str
    request: DecideRequest
    decided: DecisionReceipt
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SubagentStarted:
    """Another agent was given a call, in a workflow of its own."""

    position: str
    workflow_id: str
    agent: str
    input: str = ""


@dataclass(frozen=True, slots=True)
class SubagentStatusChanged:
    """A child paused, or goes on."""

    told: SubagentStatus


@dataclass(frozen=True, slots=True)
class SubagentDone:
    """A child is over."""

    position: str
    outcome: SubagentOutcome = field(default_factory=SubagentOutcome)


@dataclass(frozen=True, slots=True)
class EndBegun:
    """`on_run_end` was scheduled."""

    task: EndInput


@dataclass(frozen=True, slots=True)
class EndDone:
    """The `on_run_end` hooks have run."""

    outcome: EndOutcome


@dataclass(frozen=True, slots=True)
class Closed:
    """The workflow is over. The ending counts only if nothing in the run ended it before."""

    ending: Ending
    result_of: str | None = None


type Entry = (
    Requested
    | Opened
    | SpecRefreshed
    | ConversationRestored
    | TurnQueued
    | StatusChanged
    | StepBegun
    | StepDone
    | ToolBegun
    | ToolDone
    | Decided
    | SubagentStarted
    | SubagentStatusChanged
    | SubagentDone
    | EndBegun
    | EndDone
    | Closed
)
