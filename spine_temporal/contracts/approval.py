"""What a person decides of a tool call."""

from typing import Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from spine_temporal.contracts.base import RECORDED, GivenModel, WireModel
from spine_temporal.contracts.json_form import AnyJson
from spine_temporal.contracts.policies import Seconds

type OnTimeout = Literal["reject", "approve", "fail"]

# What an answer is made of; who decided and why says nothing of what was decided.
_ANSWERS = frozenset({"approve", "arguments", "value"})


class ApprovalPolicy(GivenModel):
    """What becomes of a call that nobody decides.

    The time runs from the moment the run waits for this very call. "reject" tells the model that nobody decided,
    "approve" runs the tool, "fail" ends the run with `StopReason.ERROR`.
    """

    timeout_s: Seconds | None = None
    """How long a call waits for its decision; None: for ever."""
    on_timeout: OnTimeout = "reject"


class Decision(GivenModel):
    """A decision with everything that may go with it; spine's words and truth values carry `approve` only.

    `value` answers a tool that raised `Interrupt`: it becomes the tool's result. `arguments` replace the model's, all
    of them; they must fit the tool's schema. A `digest`, as `Approval.digest` showed it, refuses the decision if the
    arguments are no longer those that were looked at.
    """

    approve: bool = True
    """The call runs; False: the model gets an error that it was rejected."""
    arguments: dict[str, AnyJson] | None = None
    """In the place of the model's; None: as they are."""
    reason: str | None = None
    """For the model when the call is rejected, and for whoever asks later."""
    decided_by: str | None = None
    """For whoever asks later who decided."""
    digest: str | None = None
    """Of the arguments that were looked at; None: whatever they are."""
    value: AnyJson = None
    """The result of a tool that raised `Interrupt`; None counts when it was given."""

    @property
    def has_value(self) -> bool:
        """Whether `value` was given, be it None."""
        return "value" in self.model_fields_set


class DecideRequest(GivenModel):
    """The argument of the update `spine.decide`.

    Typed by hand, `{"call": "call_7", "answer": "approve"}` is enough, or `{"call": ..., "decision": {...}}`.
    """

    call: str | None = None
    """The model's id of the call, or its position, "step.index"; None: the call that the run is paused at."""
    call_id: str | None = None
    """The model's id of the call, and nothing else; beside `call` it must name the same one."""
    answer: AnyJson = None
    """What spine's `resume` takes; without a `decision`."""
    decision: Decision | None = None
    trace: str = ""
    """The span of whoever decides, as a W3C `traceparent`; empty: nobody traces it."""

    @model_validator(mode="after")
    def _answers(self, info: ValidationInfo) -> Self:
        if self.decision is None and "answer" not in self.model_fields_set:
            raise ValueError('it decides nothing: give an "answer", or a "decision"')
        if self.decision is not None and "answer" in self.model_fields_set and info.context is not RECORDED:
            raise ValueError('it decides twice: give an "answer", or a "decision"')
        if self.decision is not None and _ANSWERS.isdisjoint(self.decision.model_fields_set):
            raise ValueError('the decision decides nothing: give "approve", "arguments" or "value"')
        return self

    @property
    def named(self) -> str | None:
        """The call it names, for an error."""
        return self.call if self.call is not None else self.call_id


class DecisionReceipt(WireModel):
    """The result of the update `spine.decide`."""

    position: str
    call_id: str
    tool: str
    approved: bool
    digest: str = ""
    """Of the arguments that were decided on."""
    status_number: int = 0
    """Of the run's last status change before it; whoever waits for what comes of it waits for a later one."""


class ApprovalRequest(WireModel):
    """A tool call that waits for a decision, as the activity that met it records it."""

    mode: str = "approve"
    """The kernel's: "approve" for a gated tool, "manual" for one that raised `Interrupt`."""
    payload: AnyJson = None
    """What the kernel shows as `Result.interrupt`."""
    arguments: dict[str, AnyJson] = Field(default_factory=dict)
    digest: str = ""
    asked_s: float = 0.0
    """When it asked, in Unix time by the server's clock."""


class ApprovalRequestSummary(WireModel):
    """An ApprovalRequest as the workflow reads it."""

    mode: str = "approve"
    payload: AnyJson = None
    digest: str = ""
    asked_s: float = 0.0
