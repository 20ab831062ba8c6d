"""One step: the model is asked once."""

from typing import Any

from pydantic import Field
from spine_core import Usage

from spine_temporal.contracts.approval import ApprovalPolicy
from spine_temporal.contracts.base import Basis, WireModel
from spine_temporal.contracts.messages import AnyUsage
from spine_temporal.contracts.policies import DEFAULT_POLICY, ActivityPolicy
from spine_temporal.contracts.run_end import Ending
from spine_temporal.contracts.state_delta import DeltaSummary, StateDelta, no_change, no_change_summary


class StepInput(Basis):
    """The input of the activity `spine.step`. It names the State it starts from, it does not carry it."""

    step: int
    elapsed_s: float
    """Seconds since the run began, when the step was scheduled, in whole milliseconds."""
    first: bool = False
    """Run `on_run_start` before anything else."""
    tokens_every_s: float | None = None
    """How often the text is streamed while the model writes it; None: not before it is written."""
    ui_text: bool = False
    """What the model gives to its tools may be shown to whoever looks at Temporal's own UI."""
    policy: ActivityPolicy = DEFAULT_POLICY


def unpriced(usage: Usage, *, free: bool = False) -> int:
    """Those of the tokens whose price nobody knew.

    The kernel has no word for a cost that is not known: a provider that has no price for its model leaves 0.
    """
    return 0 if usage.cost_usd or free else max(usage.total_tokens, 0)


class PlannedCall(WireModel):
    """One tool call that the model asked for, as far as the workflow must know it."""

    id: str
    name: str
    known: bool = True
    """The agent had a tool of that name when the step was taken."""
    shown: str = ""
    """The call as Temporal's own UI shows it, such as `grep(pattern=…)`; empty: by its name."""
    approve: bool = False
    """The tool is gated: it runs when a person says so."""
    parameters: dict[str, Any] | None = None
    """The JSON schema that a person's edit of the arguments must fit; with the first call of each gated tool.

    None of the calls of a tool has it if it is very large: then the tool alone looks at an edit.
    """
    digest: str = ""
    """Of the arguments that the model gave; for gated tools."""
    approval: ApprovalPolicy | None = None
    """The tool's own."""
    policy: ActivityPolicy | None = None
    """The tool's own, made complete by the run's; None: the run's."""
    local_s: float | None = None
    """It may run as a local activity, for so long; None: it is an ordinary one."""
    refused: str = ""
    """Why it is not carried out: the model reads this in the place of a result. Empty: it is."""


class StepBase(WireModel):
    """The part of a step's outcome that decides what happens next."""

    id: str
    """Random id of this outcome; it enters the revision, so that a State no history holds is never used."""
    delta: DeltaSummary | StateDelta
    """What changed in the State, beside its count of steps."""
    stepped: bool = True
    """False: a guard tripped between `on_run_start` and the step, which was then not taken, nor counted."""
    usage: AnyUsage = Field(default_factory=Usage)
    """What the model's response cost; it is added to the run's total."""
    free: bool = False
    """It is known to cost nothing: a cost of 0 is a price, not one that nobody knew."""
    calls: list[PlannedCall] = Field(default_factory=list)
    ending: Ending | None = None
    """The run stops here; None: it goes on, with the calls if there are any, else with another step."""
    last_text: str | None = None
    """The model's last words, given only when they cannot be read off the appended messages: "" for none."""

    @property
    def unpriced_tokens(self) -> int:
        """Those of its tokens whose price nobody knew."""
        return unpriced(self.usage, free=self.free)


class StepSummary(StepBase):
    """A step's outcome as the workflow reads it: from the same JSON, ignoring the rest."""

    delta: DeltaSummary = Field(default_factory=no_change_summary)


class ModelError(WireModel):
    """A failed call of the provider within the step, with what `on_error` decided."""

    error: str
    action: str


class StepOutcome(StepBase):
    """A step's outcome in full: what the fold reads."""

    delta: StateDelta = Field(default_factory=no_change)
    asked: int | None = None
    """How many messages the model was given; None: it was not called."""
    preset: bool = False
    """A hook preset the response."""
    errors: list[ModelError] = Field(default_factory=list)
    streamed: bool = False
    """The provider gave its answer in pieces."""
    rewritten: bool = False
    """What entered the conversation is another text than the pieces made: a hook's, or the provider's own."""
    answered: bool = False
    """The response entered the conversation."""
    finish_reason: str | None = None
    """Why the model stopped, in its provider's words."""
    plugins: dict[str, str] | None = None
    """The versions of the distributions that the agent was made of; None: those that the run knew of."""

    @property
    def called(self) -> bool:
        """The model was called, or a hook preset its response."""
        return self.preset or self.asked is not None
