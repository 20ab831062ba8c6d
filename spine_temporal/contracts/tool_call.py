"""One tool call."""

from pydantic import Field
from spine_core import Usage

from spine_temporal.contracts.approval import ApprovalRequest, ApprovalRequestSummary
from spine_temporal.contracts.base import Basis, WireModel
from spine_temporal.contracts.json_form import AnyJson
from spine_temporal.contracts.messages import AnyToolCall, AnyUsage
from spine_temporal.contracts.policies import DEFAULT_POLICY, ActivityPolicy
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.state_delta import DeltaSummary, StateDelta, no_change, no_change_summary
from spine_temporal.contracts.step import PlannedCall
from spine_temporal.contracts.subagent import Delegation


class ToolInput(Basis):
    """The input of the activity `spine.tool`. The arguments stand in the model's message; they are not repeated."""

    step: int
    index: int = 0
    """Which of the step's calls, counted from 0: ids of calls are the model's and need not be unique."""
    name: str
    first: bool = False
    """Run `on_run_start` before anything else."""
    resumed: bool = False
    """The call goes on, with the decision or the subagent's outcome that the journal holds for it."""
    policy: ActivityPolicy = DEFAULT_POLICY


class ToolBase(WireModel):
    """The part of a tool call's outcome that decides what happens next."""

    id: str
    """Random id of this outcome; it enters the revision, so that a State no history holds is never used."""
    delta: DeltaSummary | StateDelta
    ending: Ending | None = None
    """A hook ended the run."""
    last_text: str | None = None
    """The model's last words, given only when they cannot be read off the appended messages: "" for none."""
    spent: AnyUsage = Field(default_factory=Usage)
    """What the agent that did the work spent; it is added to the run's total."""
    unpriced_tokens: int = 0
    """Those of the tokens that it spent whose price nobody knew."""
    asks: ApprovalRequestSummary | ApprovalRequest | None = None
    """The call did not run, or stopped in the midst: a person has to decide first."""
    delegates: Delegation | None = None
    """The call is another agent's to do."""
    transfer: str | None = None
    """The call handed the conversation to this member of the team."""
    took_s: float = 0.0
    """How long it took within a workflow task, which has room for so much; 0.0 of an ordinary call."""
    later: list[PlannedCall] | None = None
    """The plan of the calls behind this one as hooks changed them; None: they did not."""


class ToolSummary(ToolBase):
    """A tool call's outcome as the workflow reads it: from the same JSON, ignoring the rest."""

    delta: DeltaSummary = Field(default_factory=no_change_summary)
    asks: ApprovalRequestSummary | None = None


class ToolOutcome(ToolBase):
    """A tool call's outcome in full: what the fold reads."""

    content: str = ""
    """What the model gets; not used when the call ended the run."""
    delta: StateDelta = Field(default_factory=no_change)
    """What the hooks changed in the State; the result's own message is not in it."""
    called: bool = False
    """The tool itself was started: not when it is unknown or a hook preset the result."""
    arguments: dict[str, AnyJson] | None = None
    """The arguments it was started with, when a hook changed them."""
    known: bool = True
    """False: the agent has no tool of that name."""
    asks: ApprovalRequest | None = None
    decision: str = ""
    """What a person, or the clock, decided: "approved", "rejected", or "answered" for an `Interrupt`."""
    edited: bool = False
    """The arguments are a person's."""
    call: AnyToolCall | None = None
    """The call, when a hook gave it another id or name."""
    later_calls: list[AnyToolCall] = Field(default_factory=list)
    """The calls behind this one, when `later` has their plan."""
    plugins: dict[str, str] | None = None
    """The versions of the distributions that the agent was made of; None: those that the run knew of."""
