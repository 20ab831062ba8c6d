"""The entries of a run's journal: the facts that its workflow acts on."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from spine_temporal.contracts.approval import DecideRequest, DecisionReceipt
from spine_temporal.contracts.base import Basis
from spine_temporal.contracts.run_end import Ending, EndInput, EndOutcome
from spine_temporal.contracts.run_id import Position
from spine_temporal.contracts.run_request import AgentSpec, RunRequest
from spine_temporal.contracts.status import ExpiryRecord, StatusRecord
from spine_temporal.contracts.step import StepBase, StepInput
from spine_temporal.contracts.subagent import SubagentOutcome, SubagentStatus
from spine_temporal.contracts.tool_call import ToolBase, ToolInput
from spine_temporal.contracts.turn import TurnTaken

if TYPE_CHECKING:
    from spine_temporal.journal.ledger import Ledger
    from spine_temporal.journal.progress import Progress


class Requested(NamedTuple):
    """A client started the run, or an execution before this one did: a journal begins, or goes on."""

    request: RunRequest
    session_id: str
    at_s: float = 0.0
    chain: str = ""
    """The run id of the first execution."""


class Opened(NamedTuple):
    """A worker answered what the agent is; the conversation begins."""

    id: str
    spec: AgentSpec
    at_s: float = 0.0
    input: str | None = None
    """The user's input; kept for a team only."""
    restoring: bool = False
    """The conversation is still to come from where it was left."""


class SpecRefreshed(NamedTuple):
    """A worker answered what the agent is by now."""

    id: str
    spec: AgentSpec


class ConversationRestored(NamedTuple):
    """The conversation as another execution, or a checkpoint, had it; without progress there was none."""

    id: str
    progress: "Progress | None"
    same: bool = False
    """Nothing but the execution changed."""
    ledger: "Ledger | None" = None
    """The whole of it, for a reader."""


class TurnQueued(NamedTuple):
    """The user's next turn was accepted."""

    id: str
    update_id: str
    input: str
    receipt: TurnTaken
    tokens_every_s: float | None = None
    trace: str = ""


class Decided(NamedTuple):
    """A person decided on a tool call."""

    id: str
    update_id: str
    receipt: DecisionReceipt
    decided_by: str | None = None
    request: DecideRequest | None = None
    """For a reader; the workflow keeps no arguments."""
    at_s: float = 0.0


class ApprovalExpired(NamedTuple):
    """Nobody decided in time; the workflow recorded it before it acted on it."""

    record: ExpiryRecord

    @property
    def id(self) -> str:
        """Of the entry; a call may ask again after it expired."""
        return f"expired {self.record.position} {self.record.at_s:.6f}"


class StopRequested(NamedTuple):
    """Somebody asked for the end of a turn; None: of the one in hand, or of the session that waits for one."""

    id: str
    turn: int | None = None


class StreamRequested(NamedTuple):
    """Somebody wants to read along while the model writes, in the turn in hand."""

    id: str
    tokens_every_s: float


class EndReportRequested(NamedTuple):
    """The parent has continued as new, and wants to be sent how this run ends."""

    id: str


class StatusChanged(NamedTuple):
    """The workflow published that a turn begins, pauses, goes on, ends."""

    record: StatusRecord

    @property
    def id(self) -> str:
        """Of the entry."""
        return f"status {self.record.number}"


class StepBegun(NamedTuple):
    """A step was scheduled."""

    task: StepInput


class StepDone(NamedTuple):
    """A step has its outcome."""

    outcome: StepBase

    @property
    def id(self) -> str:
        """Of the entry: the outcome's."""
        return self.outcome.id


class ToolBegun(NamedTuple):
    """A tool call was scheduled."""

    task: ToolInput
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ToolDone:
    """A tool call has an outcome."""

    step: int
    index: int
    outcome: ToolBase
    local: bool = False
    """It ran within a workflow task: that it began is recorded nowhere else."""

    @property
    def id(self) -> str:
        """Of the entry: the outcome's."""
        return self.outcome.id


class SubagentStarted(NamedTuple):
    """Another agent was given a call, in a workflow of its own."""

    position: Position
    workflow_id: str

    @property
    def id(self) -> str:
        """Of the entry."""
        return f"started {self.position}"


class SubagentStatusChanged(NamedTuple):
    """A subagent paused, goes on, or is over."""

    id: str
    status: SubagentStatus


@dataclass(frozen=True, slots=True)
class SubagentDone:
    """A subagent is over."""

    position: Position
    outcome: SubagentOutcome = field(default_factory=SubagentOutcome)

    @property
    def id(self) -> str:
        """Of the entry."""
        return f"done {self.position}"


class EndBegun(NamedTuple):
    """The `on_run_end` hooks were scheduled, with the ending that they get."""

    task: EndInput

    @property
    def id(self) -> str:
        """Of the entry."""
        return f"ending {self.task.number}"


class EndDone(NamedTuple):
    """The `on_run_end` hooks have run."""

    outcome: EndOutcome

    @property
    def id(self) -> str:
        """Of the entry: the outcome's."""
        return self.outcome.id


class Closed(NamedTuple):
    """The workflow is over. The ending counts only if nothing in the run ended it before."""

    ending: Ending
    result_of: str | None = None


class ContinuedAsNew(NamedTuple):
    """Another execution goes on from what this one had applied; what else had come by then, it learns anew."""

    carried: Basis


type Fact = (
    Opened
    | SpecRefreshed
    | ConversationRestored
    | TurnQueued
    | Decided
    | ApprovalExpired
    | StopRequested
    | StreamRequested
    | EndReportRequested
    | StatusChanged
    | StepDone
    | ToolDone
    | SubagentStarted
    | SubagentStatusChanged
    | SubagentDone
    | EndBegun
    | EndDone
)
"""What moves the revision."""

type Entry = Requested | StepBegun | ToolBegun | Closed | ContinuedAsNew | Fact
"""What a history holds of a run. `Requested` begins the journal of an execution; `Closed` or `ContinuedAsNew` ends it,
and only a reader knows of these. That a step or a call *begun* is
the workflow's own act: it is known from what was scheduled, and nothing that was scheduled depends on it."""


def basis_of(entry: Entry) -> Basis | None:
    """What the workflow had applied when it wrote this; None: it is no record of the workflow's."""
    match entry:
        case StepBegun(task) | ToolBegun(task) | EndBegun(task):
            return task
        case StatusChanged(record) | ApprovalExpired(record):
            return record
        case ContinuedAsNew(carried):
            return carried
    return None
