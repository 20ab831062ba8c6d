"""Everything that is known of one run, as models."""

from datetime import datetime

from spine_core import State, TraceEvent

from spine_temporal.client.approvals import Approval
from spine_temporal.client.pending_work import PendingWork
from spine_temporal.client.read_model import ReadModel
from spine_temporal.client.run_summary import RunSummary


class Subagent(ReadModel):
    """An agent that works, or has worked, for the run."""

    position: str
    """The call, "step.index"; of a member of a team, its number with index 0: "2.0" is the second."""
    agent: str
    run: str
    workflow_id: str
    status: str
    """running, paused; then the kernel's reason for its stop, or "failed"."""
    error: str | None = None


class DecisionMade(ReadModel):
    """A decision on one of the run's calls."""

    position: str
    call_id: str
    tool: str
    decision: str
    """approved, rejected; answered, when the tool had asked by itself; expired, when nobody decided."""
    at: datetime
    decided_by: str | None = None
    reason: str | None = None
    edited: bool = False


class VersionMove(ReadModel):
    """From a step on, the agent was made of other versions of its distributions."""

    step: int
    plugins: dict[str, str]


class QueuedInput(ReadModel):
    """A turn that waits while another one is in hand."""

    turn: int
    input: str


class ForkOrigin(ReadModel):
    """Where a fork began."""

    run: str
    workflow_id: str
    run_id: str
    step: int


class ParentCall(ReadModel):
    """The call of another run that this one works on."""

    run: str
    call: str


class FailingTask(ReadModel):
    """No worker gets beyond what happened last: its workflow task fails, again and again."""

    since: datetime
    attempt: int
    cause: str
    """In Temporal's words, such as NON_DETERMINISTIC_ERROR."""
    message: str


class RunUsage(ReadModel):
    """What the conversation has used up, with what it was forked from or opened again with."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None: nobody knows, or not of all of it."""
    known_cost_usd: float | None
    """Of the part that is known."""
    unpriced_tokens: int
    """Those whose price nobody knew."""

    @property
    def total_tokens(self) -> int:
        """Of both kinds."""
        return self.input_tokens + self.output_tokens


class RunDescription(RunSummary):
    """Everything that is known of one run."""

    answer: str | None
    error: str | None
    turn: int
    queued: tuple[QueuedInput, ...]
    failing_task: FailingTask | None
    """None: its worker can work on it, as far as the server knows."""
    in_flight: tuple[PendingWork, ...]
    pending: tuple[Approval, ...]
    """What waits for a person, in this run and in those of the agents below it."""
    decisions: tuple[DecisionMade, ...]
    plugins: dict[str, str]
    """The versions of the distributions that the agent is made of, as far as the run knows."""
    opened_with: dict[str, str]
    """Those that it had when the conversation began."""
    moves: tuple[VersionMove, ...]
    team: str | None
    """What kind of team it is; None: it is one agent."""
    children: tuple[Subagent, ...]
    forked_from: ForkOrigin | None
    continues: str | None
    """The execution that it goes on with."""
    works_for: ParentCall | None
    ui: str | None
    """Where the web UI shows it."""
    usage: RunUsage
    state: State
    trace: tuple[TraceEvent, ...]
